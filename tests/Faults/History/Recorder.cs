using System.Collections.Concurrent;
using System.Diagnostics;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;

namespace Statehouse.Faults.History;

/// <summary>Writes down what clients asked and what they were told, with times of one monotonic clock.</summary>
public sealed class Recorder
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly ConcurrentQueue<RecordedCall> _calls = new();
    private readonly ConcurrentQueue<SeenCommit> _seen = new();
    private readonly ConcurrentQueue<FeedStretch> _feedSeen = new();
    private long _number;
    private int _clients;

    /// <summary>Microseconds since the run began.</summary>
    public long Now => Stopwatch.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Calls invoked so far.</summary>
    public long Count => Interlocked.Read(ref _number);

    /// <summary>Calls that have ended, by number.</summary>
    public IReadOnlyList<RecordedCall> Calls => [.. _calls.OrderBy(call => call.Number)];

    /// <summary>What followers saw, each follower's in its order.</summary>
    public IReadOnlyList<SeenCommit> Seen => [.. _seen];

    /// <summary>What readers of the feed saw, each reader's in its order.</summary>
    public IReadOnlyList<FeedStretch> FeedSeen => [.. _feedSeen];

    /// <summary>A number for a client that begins, or goes on after a call of unknown outcome.</summary>
    public int NewClient() => Interlocked.Increment(ref _clients);

    /// <summary>Makes a call and records it.</summary>
    public async Task<CallResult> CallAsync(int client, string workload, IStoreClient store, Call call, CancellationToken cancellationToken)
    {
        long number = Interlocked.Increment(ref _number);
        long invoked = Now;
        CallResult result = await store.CallAsync(call, cancellationToken);
        _calls.Enqueue(new RecordedCall(number, client, workload, store.Protocol, invoked, Now, call, result));
        return result;
    }

    /// <summary>Records a stream that was refused or broke off: it asked for no write, so nothing can have been written.</summary>
    /// <param name="client">Whose.</param>
    /// <param name="workload">Which.</param>
    /// <param name="protocol">http, grpc or grains.</param>
    /// <param name="invokedAt">Microseconds since the run began.</param>
    /// <param name="call">What was followed.</param>
    /// <param name="failure">Why it ended.</param>
    public void FollowFailed(int client, string workload, string protocol, long invokedAt, FollowCall call, FollowFailure failure) =>
        _calls.Enqueue(new RecordedCall(
            Interlocked.Increment(ref _number), client, workload, protocol, invokedAt, Now, call, new CallResult(Outcome.Refused, null, failure.Code, failure.Detail)));

    public void Saw(SeenCommit commit) => _seen.Enqueue(commit);

    public void SawFeed(FeedStretch stretch) => _feedSeen.Enqueue(stretch);
}
