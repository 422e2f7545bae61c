using System.Collections.Immutable;

namespace Statehouse.Journal;

/// <summary>
/// What a store can find an agent by. It is written in the same database transaction as the commit that carries it, so
/// a query sees every acknowledged commit. The store compares these values; what they mean, the owner knows.
/// </summary>
/// <param name="Status">A small number of the owner's.</param>
/// <param name="Group">Compared as a whole, by bytes; the workflow's name for an execution.</param>
/// <param name="Labels"><c>name=value</c> texts in byte order, none twice.</param>
/// <param name="StartedAt">When the agent came to be.</param>
/// <param name="DueAt">From when on somebody must look after it; null = nobody need.</param>
/// <param name="Summary">A small JSON object that lists show without loading the agent.</param>
public sealed record IndexRow(
    byte Status,
    string Group,
    ImmutableArray<string> Labels,
    CommitTime StartedAt,
    CommitTime? DueAt,
    ReadOnlyMemory<byte> Summary);

/// <summary>An agent found in the index.</summary>
/// <param name="Agent">Which.</param>
/// <param name="Version">The commit that wrote <paramref name="Row"/>: the agent's last one, where each carries an index row.</param>
/// <param name="UpdatedAt">Time of that commit.</param>
/// <param name="Row">What its newest commit with an index row says.</param>
public sealed record IndexedAgent(AgentId Agent, AgentVersion Version, CommitTime UpdatedAt, IndexRow Row);

public enum IndexOrder : byte
{
    Started = 0,
    Updated = 1,

    /// <summary>By <see cref="IndexRow.DueAt"/>; agents that have none are left out.</summary>
    Due = 2,
}

/// <summary>Where a page ended: the ordering value and the name of its last agent.</summary>
public sealed record IndexCursor(CommitTime Value, string Name);

/// <summary>Which agents, in which order. All conditions must hold; the default of each holds always.</summary>
/// <param name="Kind">Which world.</param>
/// <param name="Namespace">Exactly this one.</param>
/// <param name="Limit">1..1,000.</param>
public sealed record IndexQuery(AgentKind Kind, string Namespace, int Limit)
{
    /// <summary>Any of these; empty = all.</summary>
    public ImmutableArray<byte> Statuses { get; init; } = [];

    public string? Group { get; init; }

    /// <summary>All of these.</summary>
    public ImmutableArray<string> Labels { get; init; } = [];

    /// <summary>Ranges: from inclusive, to exclusive.</summary>
    public CommitTime? StartedFrom { get; init; }

    public CommitTime? StartedTo { get; init; }

    public CommitTime? UpdatedFrom { get; init; }

    public CommitTime? UpdatedTo { get; init; }

    /// <summary>Only those with a <see cref="IndexRow.DueAt"/> not after this.</summary>
    public CommitTime? DueAtMost { get; init; }

    public IndexOrder Order { get; init; }

    public bool Descending { get; init; }

    /// <summary>Goes on after this one in the same order; equal values are ordered by name, in the same direction.</summary>
    public IndexCursor? After { get; init; }
}
