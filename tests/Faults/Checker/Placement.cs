using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>Where along an agent's journal a read belongs by what it showed.</summary>
/// <param name="Call">The call that read.</param>
/// <param name="Agent">What it read.</param>
/// <param name="Runs">
/// The agent versions, first and last, at which the journal says the same as the answer; ascending, at least one. More than one only for
/// a scan whose protocol tells no version.
/// </param>
/// <param name="IsNewest">Whether it had to show the newest state; otherwise it may be old, but not from before anybody had asked for it.</param>
internal sealed record Placement(RecordedCall Call, AgentIndex Agent, IReadOnlyList<(long First, long Last)> Runs, bool IsNewest);
