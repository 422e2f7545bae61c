using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>Turns what Orleans throws where a silo is gone, slow or full into the faults that callers know.</summary>
internal static class ClusterFaults
{
    /// <summary>Whether Orleans failed, and not the agent, the caller or we.</summary>
    /// <param name="error">What a call of a grain ended with.</param>
    /// <param name="cancellationToken">The caller's own; what else is cancelled, a silo or client that is stopping has cancelled.</param>
    public static bool IsFault(Exception error, CancellationToken cancellationToken) =>
        error is OrleansException or TimeoutException or EnumerationAbortedException or ObjectDisposedException
        || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    /// <summary>SH-2001: for what can have written nothing.</summary>
    public static JournalUnavailableException NothingWritten(AgentId agent, Exception error) =>
        new($"The silo of agent {agent} does not answer; nothing was written. Try again shortly.", error);

    /// <summary>SH-2002: for a commit that may have reached the journal before its silo stopped answering.</summary>
    public static JournalOutcomeUnknownException OutcomeUnknown(string of, Exception error) =>
        new($"The silo of {of} stopped answering; the commit is there whole, or not at all. Read, or repeat with the same idempotency key.", error);
}
