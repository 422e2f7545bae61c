using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>How a process keeps agents in memory.</summary>
public sealed record LocalAgentsOptions
{
    /// <summary>An agent that nobody used for this long leaves memory.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often idle agents are looked for.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Bytes of states in memory; beyond it the least recently used leave, idle or not.</summary>
    public long ResidentBytesMax { get; init; } = Math.Max(256L << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>How often one commit is decided again after another process was first, before SH-1001.</summary>
    public int DecideAttemptsMax { get; init; } = 16;

    /// <summary>How long a commit waits for an agent that a transaction holds, or a transaction for its turn, before SH-2003.</summary>
    public TimeSpan TurnPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an agent of another process stays held for a transaction that it hears no more of.</summary>
    public TimeSpan HoldLease { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long an append whose outcome is unknown may still land: twice what a store lets a command run. Until then
    /// each read of the agent asks the journal.
    /// </summary>
    public TimeSpan DoubtFor { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often other processes' commits are looked for while somebody follows an agent or the feed (shared stores only).</summary>
    public TimeSpan ForeignPollEvery { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>A snapshot is due when the tail since the last one is larger than it, and than this.</summary>
    public long SnapshotTailBytesMin { get; init; } = 64 * 1024;

    /// <summary>Told when this process comes to a <see cref="CrashPoint"/>; fault tests end it there. Default null: nobody.</summary>
    public Action<CrashPoint>? OnCrashPoint { get; init; }
}
