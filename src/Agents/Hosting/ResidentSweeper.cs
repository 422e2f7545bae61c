using System.Collections.Concurrent;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>Lets idle agents leave memory, and the least recently used ones where memory runs over its bound.</summary>
internal sealed class ResidentSweeper : IAsyncDisposable
{
    // What an agent weighs beside its keys and values: the object, its queues, its place in the table.
    private const long AgentOverheadBytes = 1024;
    private const long KeyOverheadBytes = 160;

    // A sweep leaves so much of the bound free that the next one is not due at once.
    private const double KeptShare = 0.8;

    // Between two timed sweeps a burst of loads may fill memory; so many loads call for one of their own.
    private const int LoadsPerSweep = 50_000;

    private readonly ConcurrentDictionary<AgentId, ResidentAgent> _resident;
    private readonly AgentHosting _hosting;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _early = new(0, 1);
    private readonly Task _loop;
    private int _loads;

    public ResidentSweeper(ConcurrentDictionary<AgentId, ResidentAgent> resident, AgentHosting hosting)
    {
        _resident = resident;
        _hosting = hosting;
        _loop = Task.Run(RunAsync);
    }

    public void OnLoad()
    {
        if (Interlocked.Increment(ref _loads) % LoadsPerSweep == 0 && _early.CurrentCount == 0)
        {
            try
            {
                _early.Release();
            }
            catch (SemaphoreFullException)
            {
                // Another load asked for the same sweep just before.
            }
        }
    }

    /// <summary>One sweep.</summary>
    public void Sweep()
    {
        long bytes = 0;
        var kept = new List<(ResidentAgent Agent, long LastUsed, long Bytes)>();
        foreach (ResidentAgent agent in _resident.Values)
        {
            if (_hosting.Clock.GetElapsedTime(agent.LastUsed) >= _hosting.Options.IdleAfter && TryEvict(agent))
                continue;
            long own = BytesOf(agent);
            bytes += own;
            kept.Add((agent, agent.LastUsed, own));
        }
        if (bytes > _hosting.Options.ResidentBytesMax)
            EvictOldest(kept, bytes);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _early.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Task timed = Task.Delay(_hosting.Options.SweepEvery, _hosting.Clock, _stop.Token);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                await Task.WhenAny(timed, _early.WaitAsync(either.Token)).ConfigureAwait(false);
                await either.CancelAsync().ConfigureAwait(false);
                if (!_stop.IsCancellationRequested)
                    Sweep();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private void EvictOldest(List<(ResidentAgent Agent, long LastUsed, long Bytes)> kept, long bytes)
    {
        kept.Sort((left, right) => left.LastUsed.CompareTo(right.LastUsed));
        foreach ((ResidentAgent agent, _, long own) in kept)
        {
            if (bytes <= _hosting.Options.ResidentBytesMax * KeptShare)
                return;
            if (TryEvict(agent))
                bytes -= own;
        }
    }

    private bool TryEvict(ResidentAgent agent)
    {
        if (!agent.TryEvict())
            return false;
        _resident.TryRemove(new KeyValuePair<AgentId, ResidentAgent>(agent.Agent, agent));
        _hosting.OnLeft();
        return true;
    }

    private static long BytesOf(ResidentAgent agent) =>
        AgentOverheadBytes + (agent.Confirmed is { } state ? state.Bytes + state.KeyCount * KeyOverheadBytes : 0);
}
