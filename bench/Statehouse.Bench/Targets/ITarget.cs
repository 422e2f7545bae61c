using Statehouse.Bench.Measuring;

namespace Statehouse.Bench.Targets;

/// <summary>
/// Something that keeps agents' keys and can be put under load: Statehouse through one of its doors, or a peer. It is started
/// by its factory on a temporary folder and free loopback ports, and ended by disposing of it.
/// </summary>
/// <remarks>bench/README.md says how to add one.</remarks>
internal interface ITarget : IAsyncDisposable
{
    /// <summary>For the case's name, for instance <c>HTTP, SQLite</c>.</summary>
    string Name { get; }

    /// <summary>The requests that it can answer; a case that asks for more is refused before it runs.</summary>
    IReadOnlySet<RequestKind> Answers { get; }

    /// <summary>In what its answers promise less or more than an acknowledged commit of Statehouse; null where nothing.</summary>
    string? NotComparable { get; }

    /// <summary>
    /// Processes that serve it, for processor time and memory. The load's own where it runs inside of it.
    /// </summary>
    IReadOnlyList<WatchedProcess> Processes { get; }

    /// <summary>One caller's connection.</summary>
    ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken);

    /// <summary>Commits that the store holds, asked of the store: the same number as were acknowledged, or one of both lies.</summary>
    /// <returns>null where a store does not keep count of its commits.</returns>
    ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken);

    /// <summary>Bytes that its data takes on disk now, database log files that are recycled included.</summary>
    ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends it without warning (kill -9 where it is a process of its own) and counts the commits in what is left on disk. It is
    /// not usable afterwards.
    /// </summary>
    /// <returns>As <see cref="CountCommitsAsync"/>.</returns>
    ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken);
}

/// <summary>One caller of a target. One request at a time.</summary>
internal interface ISession : IAsyncDisposable
{
    /// <summary>Whether <see cref="AskAsync"/> holds the calling thread until the answer is here: then it gets a thread of its own.</summary>
    bool Blocks { get; }

    /// <summary>Asks, and returns when the answer is here: for a write, when the target says that it is durable.</summary>
    /// <exception cref="Exception">Any answer that is not what was asked for: it fails the case.</exception>
    ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken);
}

/// <summary>A target with a server of its own, which can stand still while others are measured: what it would do unasked, it then does in its own time.</summary>
internal interface IStandsStill
{
    void Pause();

    void Resume();
}
