namespace Statehouse.Faults.Checker;

/// <summary>What a <see cref="Violation.Rule"/> may be called, beside a workload's own rules. I1 to I11: ARCHITECTURE.md, Invariants.</summary>
public static class Rule
{
    /// <summary>An acknowledged commit is missing, is another one, or was acknowledged to two callers.</summary>
    public const string Durable = "I1";

    /// <summary>Half of a commit: in the journal, in a read, in a scan.</summary>
    public const string Atomic = "I2";

    /// <summary>Versions, commit_ts and time along an agent; commit_ts over the store, also against real time.</summary>
    public const string Ordered = "I3";

    /// <summary>A conditional commit went in though its condition did not hold.</summary>
    public const string Fenced = "I4";

    /// <summary>The fold of the journal is not the live state, or key versions do not count.</summary>
    public const string Deterministic = "I5";

    /// <summary>One request took effect twice, or its repeats were told different receipts.</summary>
    public const string Idempotent = "I6";

    /// <summary>A value is not the text that was written.</summary>
    public const string Lossless = "I7";

    /// <summary>An agent's journal holds what was not written to it.</summary>
    public const string Isolated = "I8";

    /// <summary>What was refused is there.</summary>
    public const string Refused = "I9";

    /// <summary>A commit was refused as a conflict though its condition held all the time.</summary>
    public const string Refusal = "refusal";

    /// <summary>A read or a follower showed what the journal does not hold, or did so before anybody had asked for it.</summary>
    public const string Confirmed = "I10";

    /// <summary>The hash chain does not verify.</summary>
    public const string TamperEvident = "I11";

    /// <summary>No order of the calls explains all answers and agrees with real time.</summary>
    public const string Linearizable = "linearizable";

    /// <summary>What an interactive transaction had read no longer held when it committed.</summary>
    public const string Serializable = "serializable";

    /// <summary>The feed is not all journals merged by commit_ts, or a reader was shown something else meanwhile.</summary>
    public const string Feed = "feed";

    /// <summary>A follower missed a commit, saw one twice, or saw them out of order.</summary>
    public const string Follower = "follower";

    /// <summary>A server answered that it has met its own bug (SH-9xxx, a 5xx or INTERNAL without a code), or answered nonsense.</summary>
    public const string Answers = "answers";
}
