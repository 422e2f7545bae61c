using Statehouse.Journal;

namespace Statehouse.Bench.Store;

/// <summary>One agent's journal as this load grows it.</summary>
internal sealed class GrowingAgent(AgentId agent)
{
    private const long Start = 1_767_225_600_000_000;

    public JournalHandle Handle { get; } = new(agent);

    public AgentVersion Version { get; private set; }

    public CommitHash Hash { get; private set; } = CommitHash.Genesis(agent);

    public AgentEnd End => new(Handle, Version, Hash);

    /// <summary>A run on the end, which is taken to go in.</summary>
    /// <param name="bodies">One per commit.</param>
    /// <param name="index">On the last commit; null = none.</param>
    /// <param name="timeOffset">Microseconds after the load's first moment.</param>
    public AppendRun Next(byte[][] bodies, IndexRow? index = null, long timeOffset = 0)
    {
        (AgentVersion expected, CommitHash hash) = (Version, Hash);
        var commits = new JournalCommit[bodies.Length];
        for (int i = 0; i < commits.Length; i++)
        {
            Version = Version.Next;
            var time = new CommitTime(Start + timeOffset + i);
            var txnId = Guid.NewGuid();
            Hash = CommitHash.Chain(Hash, Version, time, txnId, bodies[i]);
            commits[i] = new JournalCommit(Version, CommitTs.None, time, txnId, Hash, bodies[i]) { Index = i == commits.Length - 1 ? index : null };
        }
        return new AppendRun(Handle, expected, hash, commits);
    }
}
