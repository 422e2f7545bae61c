namespace Statehouse.Journal;

/// <summary>A store that keeps the <see cref="IndexRow"/>s of commits and can be asked for agents by them.</summary>
public interface IAgentIndex
{
    /// <returns>Up to the query's limit, in its order.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    Task<IReadOnlyList<IndexedAgent>> QueryAsync(IndexQuery query, CancellationToken cancellationToken);

    /// <summary>How many agents of a namespace have each status; a status that none has is left out.</summary>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    Task<IReadOnlyDictionary<byte, long>> CountByStatusAsync(AgentKind kind, string @namespace, CancellationToken cancellationToken);
}
