using System.Threading.Channels;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// Writes snapshots off the commit path, one after the other. A snapshot that fails costs a longer load, never a
/// commit, so it is logged and dropped; the next due one tries again.
/// </summary>
internal sealed class SnapshotWriter
{
    private readonly IJournalStore _store;
    private readonly IOperatorLog _log;
    private readonly Action<CrashPoint>? _onCrashPoint;
    private readonly Channel<ResidentAgent> _queue = Channel.CreateUnbounded<ResidentAgent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _loop;

    public SnapshotWriter(IJournalStore store, IOperatorLog log, Action<CrashPoint>? onCrashPoint)
    {
        _store = store;
        _log = log;
        _onCrashPoint = onCrashPoint;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Each agent is in the queue at most once, so the queue is no longer than the agents in memory.</summary>
    public void Enqueue(ResidentAgent agent) => _queue.Writer.TryWrite(agent);

    /// <summary>Writes what is queued and stops.</summary>
    public Task DrainAsync()
    {
        _queue.Writer.TryComplete();
        return _loop;
    }

    private async Task RunAsync()
    {
        await foreach (ResidentAgent agent in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                await WriteAsync(agent).ConfigureAwait(false);
            }
            catch (StatehouseException error)
            {
                agent.OnSnapshotFailed();
                _log.Write(OperatorLogLevel.Warning, $"A snapshot of agent {agent.Agent} was not written; the next one will be.", error);
            }
        }
    }

    private async Task WriteAsync(ResidentAgent agent)
    {
        (AgentState state, long tailBytes) = agent.TakeSnapshotDue();
        byte[] body = SnapshotCodec.Encode(state);
        _onCrashPoint?.Invoke(CrashPoint.InSnapshot);
        await _store.WriteSnapshotAsync(agent.Handle, new JournalSnapshot(state.Version, state.Hash, body), CancellationToken.None).ConfigureAwait(false);
        agent.OnSnapshotWritten(body.Length, tailBytes);
        AgentsMetrics.Snapshots.Add(1);

        IReadOnlyList<AgentVersion> versions = await _store.ListSnapshotsAsync(agent.Handle, CancellationToken.None).ConfigureAwait(false);
        if (SnapshotPolicy.ToDrop(versions) is not { } surplus)
            return;
        _onCrashPoint?.Invoke(CrashPoint.InThinning);
        await _store.DeleteSnapshotsAsync(agent.Handle, [surplus], CancellationToken.None).ConfigureAwait(false);
    }
}
