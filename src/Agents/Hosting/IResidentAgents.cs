using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>Who has agents in memory: a process that hosts all of them, or a grain that is one.</summary>
public interface IResidentAgents
{
    /// <summary>The agent as it is in memory now; loads nothing.</summary>
    /// <param name="agent">Checked by whoever asks.</param>
    ResidentAgent Find(AgentId agent);
}
