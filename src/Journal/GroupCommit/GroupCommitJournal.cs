namespace Statehouse.Journal.GroupCommit;

/// <summary>
/// The journal of a process: appends of all agents flow into a few bounded lanes, and each lane writes whatever
/// waits in one round trip and one fsync. A full lane is back-pressure, then SH-2003, never unbounded memory.
/// </summary>
public sealed class GroupCommitJournal : IJournal
{
    private readonly GroupCommitOptions _options;
    private readonly WriterLane[] _lanes;

    /// <param name="store">Written by this journal only, and disposed with it.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="log">Hears of batches that failed.</param>
    public GroupCommitJournal(IJournalStore store, GroupCommitOptions options, IOperatorLog log)
    {
        Store = store;
        _options = options;
        _lanes = new WriterLane[store.WriterCount];
        for (int i = 0; i < _lanes.Length; i++)
            _lanes[i] = new WriterLane(store, options, log);
    }

    public IJournalStore Store { get; }

    public bool TryAppend(AppendUnit unit, IAppendObserver observer) =>
        LaneOf(unit.Runs[0].Handle.Agent).TryQueue(unit, observer);

    public async ValueTask WaitForRoomAsync(AgentId agent, CancellationToken cancellationToken)
    {
        WriterLane lane = LaneOf(agent);
        if (lane.HasRoom)
            return;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_options.BusyPatience);
        try
        {
            await lane.WaitForRoomAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new JournalBusyException(
                $"The journal's queue stayed full for {_options.BusyPatience.TotalSeconds:0.#} s; nothing was written. Try again shortly.");
        }
    }

    public Task DrainAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Array.ConvertAll(_lanes, lane => lane.DrainAsync())).WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await DrainAsync(CancellationToken.None).ConfigureAwait(false);
        await Store.DisposeAsync().ConfigureAwait(false);
    }

    // A unit over several agents takes the lane of its first: its owner holds all their turns, so nothing else of
    // them is queued anywhere.
    private WriterLane LaneOf(AgentId agent) =>
        _lanes.Length == 1 ? _lanes[0] : _lanes[(uint)agent.GetHashCode() % (uint)_lanes.Length];
}
