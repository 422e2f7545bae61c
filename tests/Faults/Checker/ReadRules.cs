using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// Holds every read and scan, also those that may be old and those of a past version, against the fold of the journal: what was shown is
/// one version's state, whole (I2), with values as written (I7), and held by the journal (I10). Finds where along the
/// journal each belongs; whether that was the newest is for <see cref="OrderRules"/>. And transactions: their reads of one agent are of
/// one version (I2), and what was read still held at the commit (serializable).
/// </summary>
internal sealed class ReadRules(EvidenceIndex index, CheckOptions options, Findings findings)
{
    private readonly List<Placement> _placements = [];

    public IReadOnlyList<Placement> Check(IEnumerable<RecordedCall> calls)
    {
        foreach (RecordedCall call in calls)
        {
            switch (call.Call, call.Result.Answer)
            {
                case (ReadCall read, ReadAnswer answer) when call.Result.Outcome == Outcome.Ok:
                    if (Place(call, read.Agent, read.Key, answer, read.AtVersion) is { } run)
                        Add(call, read.Agent, [run], read.IsStrong && read.AtVersion is null);
                    break;
                case (ScanCall scan, ScanAnswer answer) when call.Result.Outcome == Outcome.Ok:
                    Add(call, scan.Agent, Place(call, scan, answer), scan.IsStrong && scan.AtVersion is null);
                    break;
                case (TransactionCall transaction, TransactionAnswer answer):
                    Transaction(call, transaction, answer);
                    break;
            }
        }
        foreach (Attempt attempt in index.Attempts.Where(attempt => attempt.Landed is not null))
            StillHeld(attempt);
        return _placements;
    }

    private void Add(RecordedCall call, AgentName agent, IReadOnlyList<(long First, long Last)> runs, bool isNewest)
    {
        if (runs.Count > 0)
            _placements.Add(new Placement(call, index.Agent(agent), runs, isNewest));
    }

    private (long First, long Last)? Place(RecordedCall call, AgentName name, string key, ReadAnswer answer, long? atVersion)
    {
        findings.Count(Rule.Confirmed);
        AgentIndex agent = index.Agent(name);
        long told = atVersion ?? answer.AgentVersion;
        string shown = $"{name}: {key} was shown {Name(answer)}{(told > 0 ? $" at agent version {told}" : "")}";
        if (told > agent.LastVersion || agent.WhenKeyHad(key, answer.KeyVersion) is not { } when)
        {
            findings.Broken(Rule.Confirmed, $"{shown}, which the journal, ending at agent version {agent.LastVersion}, does not hold.", call);
            return null;
        }
        bool isWhole = told > 0 ? when.First <= told && told <= when.Last : when.First <= when.Last;
        if (!isWhole)
            findings.Broken(Rule.Atomic, $"{shown}; key version {answer.KeyVersion} was there at agent versions {when.First} to {when.Last}.", call);
        else if (answer.Exists != when.Point.Value is not null || !JsonTexts.AreSame(answer.Value, when.Point.Value, call.Protocol))
            findings.Broken(Rule.Lossless, $"{shown}; the journal has {when.Point.Value ?? "no value"} as key version {answer.KeyVersion}.", call);
        else if (answer.CommitTs != 0 && answer.CommitTs != when.Point.CommitTs)
            findings.Broken(Rule.Atomic, $"{shown}, as if written at commit_ts {answer.CommitTs}; it was {when.Point.CommitTs}.", call);
        return !isWhole ? null : told > 0 ? (told, told) : (when.First, when.Last);
    }

    private IReadOnlyList<(long First, long Last)> Place(RecordedCall call, ScanCall scan, ScanAnswer answer)
    {
        findings.Count(Rule.Atomic);
        AgentIndex agent = index.Agent(scan.Agent);
        long told = scan.AtVersion ?? answer.AgentVersion;
        if (told > agent.LastVersion)
        {
            findings.Broken(Rule.Confirmed, $"{scan.Agent}: a scan at agent version {told}; the journal ends at {agent.LastVersion}.", call);
            return [];
        }
        string? difference = told > 0
            ? Scans.Difference(agent.ScanAt(scan.Prefix, told), answer.Items, call.Protocol)
            : null;
        if (difference is not null)
            findings.Broken(Rule.Atomic, $"{scan.Agent}: a scan of \"{scan.Prefix}\" at agent version {told} is not the journal's state: {difference}.", call);
        return difference is not null ? [] : told > 0 ? [(told, told)] : PlaceUntold(call, scan, answer, agent);
    }

    /// <summary>A scan that does not tell its version: at which versions were just these keys live, with just these key versions?</summary>
    private IReadOnlyList<(long First, long Last)> PlaceUntold(RecordedCall call, ScanCall scan, ScanAnswer answer, AgentIndex agent)
    {
        (long first, long last) = (0, agent.LastVersion);
        foreach (ScannedKey item in answer.Items)
        {
            if (agent.WhenKeyHad(item.Key, item.KeyVersion) is not { } when)
            {
                findings.Broken(Rule.Confirmed, $"{scan.Agent}: a scan showed {item.Key} at key version {item.KeyVersion}, which the journal does not hold.", call);
                return [];
            }
            if (!JsonTexts.AreSame(item.Value, when.Point.Value, call.Protocol))
                findings.Broken(Rule.Lossless, $"{scan.Agent}: a scan showed {item.Key} as {item.Value}; the journal has {when.Point.Value ?? "no value"} as key version {item.KeyVersion}.", call);
            (first, last) = (Math.Max(first, when.First), Math.Min(last, when.Last));
        }
        List<(long First, long Last)> runs = first <= last ? RunsOf(agent.LiveCounts(scan.Prefix), answer.Items.Count, first, last) : [];
        bool isOrdered = answer.Items.Zip(answer.Items.Skip(1)).All(pair => ByteOrder.Instance.Compare(pair.First.Key, pair.Second.Key) < 0);
        if (runs.Count == 0 || !isOrdered)
            findings.Broken(Rule.Atomic, $"{scan.Agent}: a scan of \"{scan.Prefix}\" showed {string.Join(", ", answer.Items.Select(item => $"{item.Key} at {item.KeyVersion}"))}: no version of the journal is this state{(isOrdered ? "" : ", in this order")}.", call);
        return runs;
    }

    private static List<(long First, long Last)> RunsOf(int[] counts, int count, long first, long last)
    {
        var runs = new List<(long First, long Last)>();
        for (long version = first; version <= last; version++)
        {
            if (counts[version] != count)
                continue;
            if (runs.Count > 0 && runs[^1].Last == version - 1)
                runs[^1] = (runs[^1].First, version);
            else
                runs.Add((version, version));
        }
        return runs;
    }

    private void Transaction(RecordedCall call, TransactionCall transaction, TransactionAnswer answer)
    {
        IEnumerable<IGrouping<AgentName, (AgentName Agent, (long First, long Last)? Run)>> byAgent = transaction.Reads.Zip(answer.Reads)
            .Select(pair => (pair.First.Agent, Run: Place(call, pair.First.Agent, pair.First.Key, pair.Second, null)))
            .GroupBy(pair => pair.Agent);
        foreach (IGrouping<AgentName, (AgentName Agent, (long First, long Last)? Run)> reads in byAgent)
        {
            findings.Count(Rule.Atomic);
            List<(long First, long Last)> runs = [.. reads.Where(read => read.Run is not null).Select(read => read.Run!.Value)];
            if (runs.Count == 0)
                continue;
            (long first, long last) = (runs.Max(run => run.First), runs.Min(run => run.Last));
            if (first > last)
                findings.Broken(Rule.Atomic, $"{reads.Key}: a transaction's reads are of no one version: {string.Join(", ", runs.Select(run => $"{run.First} to {run.Last}"))}.", call);
            else
                Add(call, reads.Key, [(first, last)], !options.IsShared);
        }
    }

    /// <summary>What a committed transaction had read was still so just before its commit.</summary>
    private void StillHeld(Attempt attempt)
    {
        if (attempt.Calls[0] is not { Call: TransactionCall transaction, Result.Answer: TransactionAnswer answer } call)
            return;
        foreach (((AgentName name, string key), ReadAnswer read) in transaction.Reads.Zip(answer.Reads))
        {
            AgentIndex agent = index.Agent(name);
            if (agent.WhenKeyHad(key, read.KeyVersion) is not { } when)
                continue;
            JournaledCommit? own = attempt.Landed!.Parts.Find(part => part.Agent == name).Commit;
            // Agents that were only read are placed by commit_ts; on several servers nothing holds them (docs/consistency.md).
            bool isGuarded = own is not null || !options.IsShared;
            bool held = own is not null
                ? when.First < own.Version && own.Version - 1 <= when.Last
                : when.Point.CommitTs < attempt.Landed.CommitTs && (agent.At(when.Last + 1)?.CommitTs ?? long.MaxValue) > attempt.Landed.CommitTs;
            if (isGuarded)
                findings.Count(Rule.Serializable);
            if (isGuarded && !held)
                findings.Broken(Rule.Serializable, $"A transaction read {key} of {name} at key version {read.KeyVersion}, which was there at agent versions {when.First} to {when.Last}, and committed as {attempt.Landed}.", [call, .. Overwriter(name, when.Last + 1)]);
        }
    }

    private IEnumerable<RecordedCall> Overwriter(AgentName agent, long version) =>
        index.Transaction(agent, version)?.Attempt is { } attempt ? [attempt.Calls[0]] : [];

    private static string Name(ReadAnswer answer) => $"as {answer.Value ?? "absent"}, key version {answer.KeyVersion}";
}
