using System.Diagnostics;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Runs;

/// <summary>
/// Streams of several agents that are open on every server, over every protocol, each show what is then committed through one server.
/// An open stream is not tried again: one that only a new connection brings to life has stalled.
/// </summary>
/// <param name="recorder">Knows why a stream was refused.</param>
internal sealed class StreamProbe(Recorder recorder)
{
    private static readonly TimeSpan OpenBound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShownBound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly int _client = recorder.NewClient();

    /// <param name="entrances">On which the streams are opened.</param>
    /// <param name="agent">Has one commit or more.</param>
    /// <param name="head">Its version, which nobody but <paramref name="commit"/> moves on.</param>
    /// <param name="commit">Commits through one server; the version that it made, or null where it failed.</param>
    public async Task<IReadOnlyList<Violation>> RunAsync(IReadOnlyList<Entrance> entrances, AgentName agent, long head, Func<Task<long?>> commit)
    {
        Stream[] streams = [.. entrances.Select(entrance => new Stream(entrance, agent))];
        try
        {
            // What was there before shows that a stream is open.
            await Task.WhenAll(streams.Select(stream => OpenAsync(stream, agent, head)));
            // One that is not open says so already; the others would only be waited for.
            if (Array.TrueForAll(streams, stream => stream.Problem is null) && await commit() is { } version)
                await Task.WhenAll(streams.Select(stream => stream.ShowsAsync(version, ShownBound)));
            return [.. streams.Where(stream => stream.Problem is not null).Select(stream => new Violation(Rule.Follower, $"Everything was healed, but a stream of {agent} from {stream.Entrance.Server} over {stream.Entrance.Protocol} {stream.Problem}", []))];
        }
        finally
        {
            foreach (Stream stream in streams)
                await stream.DisposeAsync();
        }
    }

    private async Task OpenAsync(Stream stream, AgentName agent, long head)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            long invoked = recorder.Now;
            await stream.OpenAsync(head - 1);
            await stream.ShowsAsync(head, ShownBound);
            if (stream.Failure is { } failure)
                recorder.FollowFailed(_client, RecoveryProbe.Name, stream.Entrance.Protocol, invoked, new FollowCall(agent, head - 1), failure);
            if (stream.Problem is null || Stopwatch.GetElapsedTime(began) > OpenBound)
                return;
            await Task.Delay(RetryPause);
        }
    }

    /// <summary>One stream, read one commit at a time.</summary>
    private sealed class Stream(Entrance entrance, AgentName agent) : IAsyncDisposable
    {
        private CancellationTokenSource _ending = new();
        private IStoreClient? _store;
        private IAsyncEnumerator<FollowedCommit>? _commits;

        public Entrance Entrance => entrance;

        /// <summary>What is wrong with it, to be continued after its name; null = nothing.</summary>
        public string? Problem { get; private set; }

        public FollowFailure? Failure => _store?.LastFollow;

        public async Task OpenAsync(long afterVersion)
        {
            await DisposeAsync();
            _ending = new CancellationTokenSource();
            _store = entrance.Connect();
            _commits = _store.FollowAsync(agent, afterVersion, _ending.Token).GetAsyncEnumerator(CancellationToken.None);
            Problem = null;
        }

        public async Task ShowsAsync(long version, TimeSpan bound)
        {
            if (Problem is not null)
                return;
            _ending.CancelAfter(bound);
            bool isShown = await _commits!.MoveNextAsync();
            bool isLate = _ending.IsCancellationRequested;
            _ending.CancelAfter(Timeout.InfiniteTimeSpan);
            if (!isShown)
                Problem = isLate ? $"did not show version {version} within {bound.TotalSeconds:0} s" : $"ended before version {version}: {Failure?.Code} {Failure?.Detail}";
            else if (_commits.Current.Version != version)
                Problem = $"showed version {_commits.Current.Version} where {version} was next";
        }

        public async ValueTask DisposeAsync()
        {
            await _ending.CancelAsync();
            if (_commits is not null)
                await _commits.DisposeAsync();
            if (_store is not null)
                await _store.DisposeAsync();
            _ending.Dispose();
        }
    }
}
