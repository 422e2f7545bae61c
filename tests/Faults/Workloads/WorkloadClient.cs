using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>One client at work: paces its calls, records them, and goes on as a new client on a new connection after one of unknown outcome.</summary>
/// <param name="workload">Whose.</param>
/// <param name="seat">What it works with.</param>
/// <param name="options">Of the run.</param>
/// <param name="ended">The run is over: the call that is under way still gets its answer, or its bound.</param>
public sealed class WorkloadClient(string workload, ClientSeat seat, WorkloadOptions options, CancellationToken ended) : IAsyncDisposable
{
    private const double PauseShare = 0.3;
    private const double ReconnectShare = 0.003;
    private static readonly TimeSpan RetryPauseMax = TimeSpan.FromMilliseconds(300);

    private IStoreClient _store = seat.Connect();
    private int _tokens;
    private bool _isInTrouble;

    public Random Random => seat.Random;

    /// <summary>Within the workload: 0, 1, 2, …</summary>
    public int Seat => seat.Number;

    /// <summary>Changes with each new connection: what was staged or awaited under another number is no longer this client's.</summary>
    public int Number { get; private set; } = seat.Recorder.NewClient();

    public bool HasConditions => _store.HasConditions;

    public bool IsRunning => !ended.IsCancellationRequested;

    /// <summary>Cancelled when the run is over.</summary>
    public CancellationToken Ended => ended;

    public IStoreClient Store => _store;

    /// <summary>Microseconds since the run began.</summary>
    public long Now => seat.Recorder.Now;

    /// <summary>A text that no other call of the run has.</summary>
    public string Token() => $"{Number}.{++_tokens}";

    /// <summary>A read, strong where the protocol can and, on a shared system, mostly.</summary>
    public ReadCall Read(AgentName agent, string key) => new(agent, key, IsStrong: IsStrong());

    /// <summary>As <see cref="Read"/>.</summary>
    public ScanCall Scan(AgentName agent, string prefix = "") => new(agent, prefix, IsStrong: IsStrong());

    /// <summary>Waits for its turn, makes the call within the bound, and records it.</summary>
    public async Task<CallResult> CallAsync(Call call)
    {
        await PauseAsync();
        using var bound = new CancellationTokenSource(seat.CallBound);
        CallResult result = await seat.Recorder.CallAsync(Number, workload, _store, call, bound.Token);
        // A server's own SH-1xxx says that it is well; anything else is worth another server and a moment's patience.
        _isInTrouble = result.Outcome != Outcome.Ok && !(result.Code?.StartsWith("SH-1", StringComparison.Ordinal) ?? false);
        if (_isInTrouble || Random.NextDouble() < ReconnectShare)
            await ReconnectAsync();
        return result;
    }

    /// <summary>Records what a follower was shown.</summary>
    public void Saw(SeenCommit commit) => seat.Recorder.Saw(commit);

    /// <summary>Records what a reader of the feed was shown.</summary>
    public void SawFeed(FeedStretch stretch) => seat.Recorder.SawFeed(stretch);

    /// <summary>Records why a stream of the store ended, where it did not end well.</summary>
    public void FollowEnded(FollowCall call, long invokedAt)
    {
        if (_store.LastFollow is { } failure)
            seat.Recorder.FollowFailed(Number, workload, _store.Protocol, invokedAt, call, failure);
    }

    /// <summary>Goes on as a new client, on the system's next server.</summary>
    public async Task ReconnectAsync()
    {
        await _store.DisposeAsync();
        _store = seat.Connect();
        Number = seat.Recorder.NewClient();
        _tokens = 0;
    }

    /// <summary>Waits, but not beyond the run's end.</summary>
    public async Task WaitAsync(TimeSpan time) =>
        await Task.Delay(time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private async Task PauseAsync()
    {
        if (_isInTrouble)
            await WaitAsync(RetryPauseMax * Random.NextDouble());
        else if (Random.NextDouble() < PauseShare)
            await WaitAsync(options.Pause * (2 / PauseShare * Random.NextDouble()));
    }

    private bool IsStrong() => !options.IsShared || (HasConditions && Random.Next(10) < 7);
}
