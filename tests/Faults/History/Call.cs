namespace Statehouse.Faults.History;

/// <summary>An agent as a workload names it.</summary>
public readonly record struct AgentName(string Namespace, string Id)
{
    public override string ToString() => $"{Namespace}/{Id}";
}

/// <summary>What a client asked for, in no protocol's words. Values are JSON texts.</summary>
public abstract record Call;

/// <summary>Reads one key.</summary>
/// <param name="Agent">Of which agent.</param>
/// <param name="Key">Which key.</param>
/// <param name="AtVersion">As of this agent version; null = the newest.</param>
/// <param name="IsStrong">
/// Whether the answer must be linearizable: the system promises it by itself (one process serves the agent), or it was asked
/// for with <c>consistency=strong</c>. What is not strong may be old, but never torn, unconfirmed or made up.
/// </param>
public sealed record ReadCall(AgentName Agent, string Key, long? AtVersion = null, bool IsStrong = true) : Call;

/// <summary>Reads all live keys with a prefix, at one version.</summary>
public sealed record ScanCall(AgentName Agent, string Prefix = "", long? AtVersion = null, bool IsStrong = true) : Call;

/// <summary>Commits on one agent, or on several together.</summary>
/// <param name="Shares">1 or more, of different agents.</param>
/// <param name="IdempotencyKey">A repeat carries the same; null = none. Only ever used again with the same content.</param>
public sealed record CommitCall(IReadOnlyList<Share> Shares, string? IdempotencyKey = null) : Call;

/// <summary>
/// An interactive transaction as one call: begin, read all of <paramref name="Reads"/>, stage what <paramref name="Decide"/>
/// makes of the answers, commit. Where Decide returns nothing the transaction is aborted.
/// </summary>
/// <param name="Reads">In this order.</param>
/// <param name="Decide">Given the answers in the order of the reads.</param>
public sealed record TransactionCall(
    IReadOnlyList<(AgentName Agent, string Key)> Reads, Func<IReadOnlyList<ReadAnswer>, IReadOnlyList<Share>> Decide) : Call;

/// <summary>Follows an agent. Recorded only where it was refused or broke off: what it showed is recorded as seen.</summary>
/// <param name="Agent">Whose commits.</param>
/// <param name="AfterVersion">The last one that was seen; 0 = from the start.</param>
public sealed record FollowCall(AgentName Agent, long AfterVersion) : Call;

/// <summary>What a commit does to one agent.</summary>
/// <param name="Agent">Which.</param>
/// <param name="Writes">1 or more, applied in order.</param>
/// <param name="IfAgentVersion">Only if this is its version; null = whatever it is.</param>
public sealed record Share(AgentName Agent, IReadOnlyList<Write> Writes, long? IfAgentVersion = null);

/// <summary>One operation.</summary>
/// <param name="Key">Which key.</param>
/// <param name="Value">JSON text; null = delete.</param>
/// <param name="IfVersion">Only if the key's version is this; 0 = was never written; null = whatever it is.</param>
public sealed record Write(string Key, string? Value, long? IfVersion = null);
