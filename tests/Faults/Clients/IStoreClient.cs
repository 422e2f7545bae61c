using Statehouse.Faults.History;

namespace Statehouse.Faults.Clients;

/// <summary>One client of a Statehouse, through one protocol. Never repeats anything by itself: repeats are the workload's, and recorded.</summary>
public interface IStoreClient : IAsyncDisposable
{
    /// <summary>http, grpc or grains.</summary>
    string Protocol { get; }

    /// <summary>Whether it can say <c>if_version</c>, <c>if_agent_version</c> and an idempotency key. gRPC cannot.</summary>
    bool HasConditions { get; }

    /// <summary>Makes one call.</summary>
    /// <param name="call">Which.</param>
    /// <param name="cancellationToken">Gives up: the outcome is then unknown (code <c>timeout</c>), not an exception.</param>
    /// <returns>Never an exception for what a server, a network or a bound can do; only for a bug of the harness.</returns>
    Task<CallResult> CallAsync(Call call, CancellationToken cancellationToken);

    /// <summary>Follows an agent until cancelled or until the connection ends, from the commit after a version on.</summary>
    /// <param name="agent">Whose commits.</param>
    /// <param name="afterVersion">The last one that was seen; 0 = from the start.</param>
    /// <param name="cancellationToken">Ends it without an exception.</param>
    /// <exception cref="NotSupportedException">The protocol has no way to follow.</exception>
    IAsyncEnumerable<FollowedCommit> FollowAsync(AgentName agent, long afterVersion, CancellationToken cancellationToken);

    /// <summary>Why the last <see cref="FollowAsync"/> was refused or broke off; null where it was cancelled, or the server ended it well.</summary>
    FollowFailure? LastFollow { get; }
}

/// <param name="Code">SH-nnnn, or the transport's word, as of a call.</param>
/// <param name="Detail">For a person.</param>
public sealed record FollowFailure(string Code, string Detail);

/// <param name="Version">Agent version.</param>
/// <param name="CommitTs">Position in the feed.</param>
/// <param name="Hash">Lower-case hexadecimal; empty where the protocol does not tell.</param>
public sealed record FollowedCommit(long Version, long CommitTs, string Hash);
