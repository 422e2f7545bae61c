using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>What all agents of a process share.</summary>
internal sealed record AgentContext(
    IJournal Journal,
    LocalAgentsOptions Options,
    Limits Limits,
    TimeProvider Clock,
    IOperatorLog Log,
    AgentLoader Loader,
    SnapshotWriter Snapshots,
    RecentStates RecentStates,
    FeedSignal FeedSignal)
{
    public IJournalStore Store => Journal.Store;
}
