using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>Units that are written in the place of others.</summary>
internal static class Units
{
    /// <summary>The same unit, of which nobody waits for the outcome.</summary>
    public static AppendUnit Copy(AppendUnit unit) =>
        new([.. unit.Runs.Select(run => new AppendRun(run.Handle, run.ExpectedVersion, run.ExpectedHash, run.Commits))]);

    /// <summary>A unit of one agent with these commits instead of its own: numbered and chained anew, so that the chain holds.</summary>
    public static AppendRun Rechained(
        AppendRun run, AgentVersion expectedVersion, CommitHash expectedHash, CommitTime notBefore, IEnumerable<JournalCommit> commits)
    {
        var chained = new List<JournalCommit>();
        AgentVersion version = expectedVersion;
        CommitHash hash = expectedHash;
        foreach (JournalCommit commit in commits)
        {
            version = version.Next;
            notBefore = commit.Time < notBefore ? notBefore : commit.Time;
            hash = CommitHash.Chain(hash, version, notBefore, commit.TxnId, commit.Body.Span);
            chained.Add(commit with { Version = version, Time = notBefore, Hash = hash });
        }
        return new AppendRun(run.Handle, expectedVersion, expectedHash, chained);
    }

    /// <summary>Tells a unit's owner what became of the one that was written in its place.</summary>
    public static void Tell(AppendUnit unit, AppendUnit written)
    {
        for (int i = 0; i < written.Runs.Count; i++)
            written.Runs[i].CommitTs.CopyTo(unit.Runs[i].CommitTs, 0);
        unit.Outcome = written.Outcome;
    }
}
