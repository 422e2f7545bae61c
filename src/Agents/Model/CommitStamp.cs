using Statehouse.Journal;

namespace Statehouse.Agents.Model;

/// <summary>
/// When a key was last written: shared by all entries that one commit wrote. Version and time are known when the
/// commit is decided; the position in the feed comes with the journal's acknowledgement and is then set, once,
/// before the state that holds this stamp is shown to anyone.
/// </summary>
/// <remarks>Source: docs/decisions/0005-pipelining-and-late-commit-ts.md.</remarks>
public sealed class CommitStamp(AgentVersion version, CommitTime time, CommitTs commitTs = default)
{
    private long _commitTs = commitTs.Value;

    public AgentVersion Version { get; } = version;

    public CommitTime Time { get; } = time;

    /// <summary><see cref="Statehouse.Journal.CommitTs.None"/> while the commit is not acknowledged.</summary>
    public CommitTs CommitTs => new(Volatile.Read(ref _commitTs));

    /// <exception cref="InvariantBrokenException">It has another position already.</exception>
    public void Assign(CommitTs position)
    {
        long before = Interlocked.CompareExchange(ref _commitTs, position.Value, 0);
        if (before != 0 && before != position.Value)
            throw new InvariantBrokenException($"Commit {Version} has commit_ts {before} and was given {position} too.");
    }
}
