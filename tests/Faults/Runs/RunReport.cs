using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Runs;

/// <summary>What a run was and what came of it.</summary>
/// <param name="System">The configuration.</param>
/// <param name="Options">As the run was asked for.</param>
/// <param name="Workloads">Names.</param>
/// <param name="Schedule">What was planned, and done.</param>
/// <param name="Calls">How calls ended.</param>
/// <param name="Silence">The longest time without an acknowledged commit.</param>
/// <param name="Ends">How often servers were started, and which ended by themselves.</param>
/// <param name="Verdict">Of the checker and the workloads together.</param>
/// <param name="Elapsed">Of everything.</param>
public sealed record RunReport(
    string System,
    RunOptions Options,
    IReadOnlyList<string> Workloads,
    IReadOnlyList<DoneFault> Schedule,
    IReadOnlyList<CallCount> Calls,
    Silence Silence,
    IReadOnlyList<string> Ends,
    Verdict Verdict,
    TimeSpan Elapsed)
{
    public bool IsClean => Verdict.IsClean;

    /// <summary>How long clients worked and the check took; starting, healing and starting anew are not in it.</summary>
    public required TimeSpan Worked { get; init; }

    /// <summary>Where the history and the processes' output are kept; null = they are not.</summary>
    public string? KeptFolder { get; init; }

    /// <summary>A command that makes the same run.</summary>
    public required string Replay { get; init; }

    public long Operations => Calls.Sum(count => count.Count);

    public int FaultsDone => Schedule.Count(fault => fault.IsDone);
}

/// <summary>How many calls of one kind ended so.</summary>
/// <param name="Workload">Whose.</param>
/// <param name="Protocol">http, grpc or grains.</param>
/// <param name="Outcome">How they ended.</param>
/// <param name="Code">SH-nnnn or the transport's word; empty where Ok.</param>
/// <param name="Count">How many.</param>
public sealed record CallCount(string Workload, string Protocol, Outcome Outcome, string Code, long Count);

/// <summary>A time without an acknowledged commit.</summary>
/// <param name="From">Since the run began.</param>
/// <param name="Length">How long it was.</param>
public sealed record Silence(TimeSpan From, TimeSpan Length);
