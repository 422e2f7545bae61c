namespace Statehouse.Faults.Checker;

/// <summary>What the checker has to know of the system, and how hard it tries.</summary>
public sealed record CheckOptions
{
    /// <summary>
    /// Whether more than one process may serve one agent. Then what a transaction reads is not linearizable by itself, and agents
    /// that it only reads may change between its check and its commit (write skew, docs/consistency.md). Reads say for themselves
    /// whether they are strong.
    /// </summary>
    public bool IsShared { get; init; }

    /// <summary>How many idempotency keys an agent remembers: a key may come again when so many other ones were committed since.</summary>
    public int IdempotencyKeysMax { get; init; } = 1_000;

    /// <summary>
    /// Steps that one search for a linearization may take before it counts as undecided. A history that is linearizable in the
    /// journal's order takes one step per call.
    /// </summary>
    public long SearchStepsMax { get; init; } = 1_000_000;

    /// <summary>Violations of one rule that a verdict spells out; more are only counted.</summary>
    public int ViolationsPerRuleMax { get; init; } = 20;
}
