using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// Commits of one agent that go to the journal as one unit: each decided on top of the one before it, so they go in
/// together or not at all.
/// </summary>
internal sealed class AppendBatch : IAppendObserver
{
    // A unit goes in one statement together with others; the writer's own bounds are twice this.
    private const int CommitsMax = 500;
    private const long BytesMax = 2 * 1024 * 1024;

    private readonly List<AgentAppend> _appends = [];
    // Completed on the writer's own loop. Who waits does so on the grain's scheduler, which never runs there.
    private readonly TaskCompletionSource _ended = new();
    private long _bytes;

    private AppendBatch(AgentAppend first) => Add(first);

    /// <summary>Parts what waits into units, in order. A break in the chain is where decisions failed and began anew.</summary>
    public static List<AppendBatch> Of(IReadOnlyList<AgentAppend> appends)
    {
        var batches = new List<AppendBatch>(1) { new(appends[0]) };
        for (int i = 1; i < appends.Count; i++)
        {
            AppendBatch last = batches[^1];
            if (appends[i].Follows(last._appends[^1]) && last._appends.Count < CommitsMax && last._bytes + appends[i].Bytes <= BytesMax)
                last.Add(appends[i]);
            else
                batches.Add(new AppendBatch(appends[i]));
        }
        return batches;
    }

    /// <summary>
    /// Queues the unit; the task ends when its commits know what became of them, never at once and never with an
    /// exception. To be awaited on the grain's scheduler.
    /// </summary>
    public Task AppendAsync(IAppendQueue journal)
    {
        AppendUnit unit = ToUnit();
        try
        {
            return journal.TryAppend(unit, this) ? _ended.Task : AppendWithPatienceAsync(journal, unit);
        }
        catch (StatehouseException notQueued)
        {
            return FailSoonAsync(notQueued);
        }
    }

    public void OnAppended(AppendUnit unit)
    {
        for (int i = 0; i < _appends.Count; i++)
            _appends[i].Succeeded(unit.Runs[0].CommitTs[i]);
        _ended.SetResult();
    }

    public void OnFailed(AppendUnit unit, StatehouseException reason)
    {
        foreach (AgentAppend append in _appends)
            append.Failed(reason);
        _ended.SetResult();
    }

    private AppendUnit ToUnit()
    {
        AppendRun first = _appends[0].Run;
        AppendRun run = _appends.Count == 1
            ? first
            : new AppendRun(first.Handle, first.ExpectedVersion, first.ExpectedHash, [.. _appends.Select(append => append.Run.Commits[0])]);
        return new AppendUnit([run]);
    }

    private async Task AppendWithPatienceAsync(IAppendQueue journal, AppendUnit unit)
    {
        try
        {
            do
            {
                await journal.WaitForRoomAsync(unit.Runs[0].Handle.Agent, CancellationToken.None);
            }
            while (!journal.TryAppend(unit, this));
        }
        catch (StatehouseException notQueued)
        {
            await FailSoonAsync(notQueued);
        }
        await _ended.Task;
    }

    /// <summary>
    /// The journal's queue is full, or closing. Were that thrown, Orleans would write these events again without end; were
    /// it told at once, then in the middle of the decision that they come from.
    /// </summary>
    private async Task FailSoonAsync(StatehouseException notQueued)
    {
        await Task.Yield();
        foreach (AgentAppend append in _appends)
            append.Failed(notQueued);
        _ended.TrySetResult();
    }

    private void Add(AgentAppend append)
    {
        _appends.Add(append);
        _bytes += append.Bytes;
    }
}
