namespace Statehouse.Journal;

/// <summary>What owns a journal. Stored as a number: never renumber.</summary>
public enum AgentKind : byte
{
    /// <summary>A plain agent: what the <c>/agents</c> routes show.</summary>
    Agent = 0,

    /// <summary>A workflow run: an agent with a schema of its own. Kept apart so that no agent id can reach one.</summary>
    Execution = 1,

    /// <summary>The state that a named snapshot of an execution keeps. Its name tells which: no caller sees it.</summary>
    ExecutionSnapshot = 2,
}

/// <summary>
/// The identity that owns one journal. Two ids are the same agent only when all three parts are equal,
/// code unit by code unit: no normalisation, no separators, no case folding (I8).
/// </summary>
/// <param name="Kind">The world of the identity; agents and executions never meet.</param>
/// <param name="Namespace">1..128 bytes of UTF-8, no NUL.</param>
/// <param name="Name">1..512 bytes of UTF-8, no NUL: the agent id that callers see.</param>
public sealed record AgentId(AgentKind Kind, string Namespace, string Name) : IComparable<AgentId>
{
    public AgentId(string @namespace, string name)
        : this(AgentKind.Agent, @namespace, name)
    {
    }

    /// <summary>A total order, the same in every process: multi-agent commits take turns in it, so they cannot deadlock.</summary>
    public int CompareTo(AgentId? other)
    {
        if (other is null)
            return 1;
        int byKind = Kind.CompareTo(other.Kind);
        if (byKind != 0)
            return byKind;
        int byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }

    public override string ToString() => $"{Namespace}/{Name}";
}
