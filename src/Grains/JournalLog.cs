using Orleans.EventSourcing;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// Orleans' log of one grain, kept in the journal: an event that is raised joins the group commit at once, behind those
/// that were raised before it, and moves the grain's view when it is durable.
/// </summary>
/// <remarks>
/// The adaptors that come with Orleans write one batch at a time and, where storage fails, read and write again without
/// end. This one neither waits nor repeats: what failed, the agent looks up within its callers' bounds.
/// Source: docs/decisions/0007-grains-on-the-journal.md. All members may be called on any thread; the view moves on the
/// journal's.
/// </remarks>
internal sealed class JournalLog(IAppendQueue journal, ILogViewAdaptorHost<AgentView, AgentAppend> grain, AgentView view)
    : ILogViewAdaptor<AgentView, AgentAppend>
{
    private const string Elsewhere = "An agent keeps its history in its journal, and what is on its way in itself.";
    private const string OnlyConditional = "Events of an agent are raised conditionally, one by one.";

    public AgentView ConfirmedView => view;

    public int ConfirmedVersion => checked((int)(view.State?.Version.Value ?? 0));

    public AgentView TentativeView => throw new NotSupportedException(Elsewhere);

    public IEnumerable<AgentAppend> UnconfirmedSuffix => throw new NotSupportedException(Elsewhere);

    /// <summary>Raises one event; its condition is the version and hash that its commit was decided on.</summary>
    /// <returns>Whether it is durable; false at once where it could not be queued.</returns>
    public Task<bool> TryAppend(AgentAppend entry)
    {
        var confirmation = new Confirmation(grain, view, entry);
        try
        {
            bool isQueued = journal.TryAppend(entry.Unit, confirmation);
            entry.Queued(isQueued);
            return isQueued ? confirmation.Task : Task.FromResult(false);
        }
        catch (StatehouseException closing)
        {
            entry.Refused(closing);
            return Task.FromResult(false);
        }
    }

    /// <summary>Loads nothing: the agent is read when it is first used, so no activation hangs on a journal that is away.</summary>
    public Task Synchronize() => Task.CompletedTask;

    public Task PreOnActivate() => Task.CompletedTask;

    public Task PostOnActivate() => Task.CompletedTask;

    /// <summary>What is on its way stays so: the journal writes it, and the agent's next activation reads it.</summary>
    public Task PostOnDeactivate() => Task.CompletedTask;

    public void Submit(AgentAppend entry) => throw new NotSupportedException(OnlyConditional);

    public void SubmitRange(IEnumerable<AgentAppend> entries) => throw new NotSupportedException(OnlyConditional);

    public Task<bool> TryAppendRange(IEnumerable<AgentAppend> entries) => throw new NotSupportedException(OnlyConditional);

    public Task ConfirmSubmittedEntries() => throw new NotSupportedException(Elsewhere);

    public Task<IReadOnlyList<AgentAppend>> RetrieveLogSegment(int fromVersion, int toVersion) => throw new NotSupportedException(Elsewhere);

    public void EnableStatsCollection()
    {
        // The journal and the agents count for themselves: docs/operating.md.
    }

    public void DisableStatsCollection()
    {
        // See EnableStatsCollection.
    }

    public LogConsistencyStatistics? GetStats() => null;

    /// <summary>Hears of one event from the journal.</summary>
    private sealed class Confirmation(ILogViewAdaptorHost<AgentView, AgentAppend> grain, AgentView view, AgentAppend entry)
        : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously), IAppendObserver
    {
        public void OnAppended(AppendUnit unit)
        {
            grain.UpdateView(view, entry);
            grain.OnViewChanged(tentative: false, confirmed: true);
            SetResult(true);
        }

        public void OnFailed(AppendUnit unit, StatehouseException reason)
        {
            entry.Failed(reason);
            grain.UpdateView(view, entry);
            SetResult(false);
        }
    }
}

/// <summary>Gives each agent's grain its log.</summary>
internal sealed class JournalLogProvider(IAppendQueue journal) : ILogViewAdaptorFactory
{
    public bool UsesStorageProvider => false;

    public ILogViewAdaptor<TLogView, TLogEntry> MakeLogViewAdaptor<TLogView, TLogEntry>(
        ILogViewAdaptorHost<TLogView, TLogEntry> hostGrain,
        TLogView initialState,
        string grainTypeName,
        Orleans.Storage.IGrainStorage? grainStorage,
        ILogConsistencyProtocolServices services)
        where TLogView : class, new()
        where TLogEntry : class =>
        hostGrain is ILogViewAdaptorHost<AgentView, AgentAppend> agent && initialState is AgentView view
            ? (ILogViewAdaptor<TLogView, TLogEntry>)(object)new JournalLog(journal, agent, view)
            : throw new NotSupportedException($"The log {AgentStateGrain.ProviderName} is for agents; {grainTypeName} is none.");
}
