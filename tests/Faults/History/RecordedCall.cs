namespace Statehouse.Faults.History;

/// <summary>How a call ended, as its client knows it.</summary>
public enum Outcome
{
    /// <summary>Answered with success: it happened, once.</summary>
    Ok,

    /// <summary>Refused with a code that promises that nothing was written: it did not happen and never will.</summary>
    Refused,

    /// <summary>No reply, or one that says so (SH-2002): it happened once, or not at all, or still may.</summary>
    Unknown,
}

/// <summary>How a call ended.</summary>
/// <param name="Outcome">Ok has an answer, the others have none.</param>
/// <param name="Answer">Null unless Ok; for an interactive transaction also where reads were answered before the end went wrong.</param>
/// <param name="Code">SH-nnnn, or the transport's word: timeout, reset, refused-connection, …; null where Ok.</param>
/// <param name="Detail">For a person who looks into a failure.</param>
public sealed record CallResult(Outcome Outcome, Answer? Answer, string? Code = null, string? Detail = null)
{
    /// <summary>
    /// The shares that were sent with the commit of an interactive transaction whose outcome is unknown; null otherwise (a
    /// <see cref="CommitCall"/> has them in its call).
    /// </summary>
    public IReadOnlyList<Share>? SentShares { get; init; }
}

/// <summary>One line of a history.</summary>
/// <param name="Number">1, 2, 3, … in the order of invocation over all clients.</param>
/// <param name="Client">Which client; a client has one call at a time, and a call of unknown outcome ends it: what comes after is recorded under a new number.</param>
/// <param name="Workload">Whose call.</param>
/// <param name="Protocol">http, grpc or grains.</param>
/// <param name="InvokedAt">Microseconds since the run began, on one monotonic clock.</param>
/// <param name="EndedAt">As above. For an unknown outcome: when the client gave up; the call itself may take effect at any time after InvokedAt.</param>
/// <param name="Call">What was asked.</param>
/// <param name="Result">What came of it.</param>
public sealed record RecordedCall(
    long Number, int Client, string Workload, string Protocol, long InvokedAt, long EndedAt, Call Call, CallResult Result);

/// <summary>A commit that a follower was shown.</summary>
/// <param name="Follower">Which follower: it is to see each commit of what it follows once, in order, over all its reconnections.</param>
/// <param name="Agent">Whose.</param>
/// <param name="Version">Its agent version.</param>
/// <param name="CommitTs">Its position in the feed.</param>
/// <param name="Hash">Lower-case hexadecimal.</param>
/// <param name="SeenAt">Microseconds since the run began.</param>
public sealed record SeenCommit(string Follower, AgentName Agent, long Version, long CommitTs, string Hash, long SeenAt);
