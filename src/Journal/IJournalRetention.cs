namespace Statehouse.Journal;

/// <summary>A store that can let go of old data.</summary>
public interface IJournalRetention
{
    /// <summary>
    /// Drops the details (<see cref="JournalCommit.Detail"/>) of the commits from..to. The commits themselves stay, and
    /// with them the chain: a detail is not part of what is hashed, its digest is.
    /// </summary>
    /// <returns>Bytes of bodies that were dropped, as they are read, the line feed included; 0 where nothing was left to drop.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001. Some of it may be done; repeating the call does the rest.</exception>
    Task<long> CutDetailsAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken);

    /// <summary>
    /// Removes an agent with all that is kept of it, where its journal still ends at exactly this version and hash.
    /// An append in flight that was decided on it ends as a conflict; the next commit of that name is version 1 again.
    /// </summary>
    /// <returns>false where it has moved on, or is gone: nothing was removed by this call.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001. Repeating the call tells what became of it.</exception>
    Task<bool> DeleteAgentAsync(JournalHandle handle, AgentVersion version, CommitHash hash, CancellationToken cancellationToken);

    /// <summary>As <see cref="DeleteAgentAsync"/>, of many agents; each by itself is removed whole or not at all.</summary>
    /// <param name="agents">0..1,000, none twice. Both stores do them in one transaction, which waits for one fsync.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>For each agent, in the order given, whether this call removed it.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001. Repeating the call tells what became of them.</exception>
    async Task<IReadOnlyList<bool>> DeleteAgentsAsync(IReadOnlyList<AgentEnd> agents, CancellationToken cancellationToken)
    {
        bool[] removed = new bool[agents.Count];
        for (int i = 0; i < removed.Length; i++)
            removed[i] = await DeleteAgentAsync(agents[i].Handle, agents[i].Version, agents[i].Hash, cancellationToken).ConfigureAwait(false);
        return removed;
    }
}

/// <summary>Where an agent's journal is expected to end.</summary>
public sealed record AgentEnd(JournalHandle Handle, AgentVersion Version, CommitHash Hash);
