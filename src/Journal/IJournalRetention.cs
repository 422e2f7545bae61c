namespace Statehouse.Journal;

/// <summary>A store that can let go of old data.</summary>
public interface IJournalRetention
{
    /// <summary>
    /// Drops the details (<see cref="JournalCommit.Detail"/>) of the commits from..to. The commits themselves stay, and
    /// with them the chain: a detail is not part of what is hashed, its digest is.
    /// </summary>
    /// <returns>Bytes that were dropped; 0 where nothing was left to drop.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    Task<long> CutDetailsAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken);

    /// <summary>
    /// Removes an agent with all that is kept of it, where its journal still ends at exactly this version and hash.
    /// </summary>
    /// <returns>false where it has moved on, or is gone: nothing was removed by this call.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    Task<bool> DeleteAgentAsync(JournalHandle handle, AgentVersion version, CommitHash hash, CancellationToken cancellationToken);
}
