using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// Commits of one agent that go to the journal as one unit: each decided on top of the one before it, so they go in
/// together or not at all.
/// </summary>
internal sealed class AppendBatch
{
    // A unit goes in one statement together with others; the writer's own bounds are twice this.
    private const int CommitsMax = 500;
    private const long BytesMax = 2 * 1024 * 1024;

    private readonly List<AgentAppend> _appends = [];
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

    /// <summary>Queues the unit; the task ends when its commits know what became of them. Never throws.</summary>
    public async Task AppendAsync(IAppendQueue journal)
    {
        AppendRun first = _appends[0].Run;
        var run = new AppendRun(first.Handle, first.ExpectedVersion, first.ExpectedHash, [.. _appends.Select(append => append.Run.Commits[0])]);
        var unit = new AppendUnit([run]);
        var observer = new AppendObserver();
        StatehouseException? failure = null;
        try
        {
            while (!journal.TryAppend(unit, observer))
                await journal.WaitForRoomAsync(first.Handle.Agent, CancellationToken.None).ConfigureAwait(false);
            failure = await observer.Ended.ConfigureAwait(false);
        }
        catch (StatehouseException notQueued)
        {
            // The journal's queue is full, or closing. Were it thrown, Orleans would write these events again without end.
            failure = notQueued;
        }
        for (int i = 0; i < _appends.Count; i++)
        {
            if (failure is null)
                _appends[i].Succeeded(run.CommitTs[i]);
            else
                _appends[i].Failed(failure);
        }
    }

    private void Add(AgentAppend append)
    {
        _appends.Add(append);
        _bytes += append.Bytes;
    }
}
