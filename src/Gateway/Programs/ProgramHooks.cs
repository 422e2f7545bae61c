using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// Where a program of the fault harness reaches into what a server program puts together. The product's own programs pass
/// <see cref="None"/>, and nothing that a process is told from outside can change that.
/// </summary>
/// <remarks>Source: docs/decisions/0014-faults-are-put-in-from-outside.md.</remarks>
internal record ProgramHooks
{
    /// <summary>The product as it is.</summary>
    public static readonly ProgramHooks None = new();

    /// <summary>Told of every crash point; null = nobody.</summary>
    public Action<CrashPoint>? OnCrashPoint { get; init; }

    /// <summary>Stands before the store, and disposes it; null = nothing does.</summary>
    public Func<IJournalStore, IJournalStore>? Store { get; init; }

    /// <summary>Stands before the journal, and disposes it; null = nothing does.</summary>
    public Func<IJournal, IJournal>? Journal { get; init; }

    /// <summary>Stands before all agents, as the front ends of this process see them; null = nothing does.</summary>
    public Func<IAgents, IAgents>? Agents { get; init; }

    /// <summary>How agents are kept in memory, given how the product would; null = as the product would.</summary>
    public Func<LocalAgentsOptions, LocalAgentsOptions>? Memory { get; init; }

    /// <summary>Commit times, leases, idleness.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public IJournalStore Around(IJournalStore store) => Store is null ? store : Store(store);

    public IJournal Around(IJournal journal) => Journal is null ? journal : Journal(journal);

    public IAgents Around(IAgents agents) => Agents is null ? agents : Agents(agents);

    public LocalAgentsOptions Around(LocalAgentsOptions memory)
    {
        LocalAgentsOptions hooked = memory with { OnCrashPoint = OnCrashPoint };
        return Memory is null ? hooked : Memory(hooked);
    }
}
