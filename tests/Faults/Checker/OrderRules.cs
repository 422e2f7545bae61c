using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// Whether the order that the journals tell agrees with real time: exact, and O(n log n) however many calls overlap.
/// </summary>
/// <remarks>
/// A journal tells the order of an agent's commits, and a read's answer between which two of them it belongs. So it remains to find
/// for each call a moment between its invocation and its end such that the moments grow along that order. The earliest moment of a
/// call is its invocation, or the earliest moment of what comes before it, whichever is later; there is a linearization
/// just when no call's earliest moment is after its end. A commit over several agents has one moment for all of them, so this also
/// finds who saw such a commit on one agent and, later, not yet on another (I2). Reads that need not be the newest must only not come
/// before what they show was asked for (I10).
/// </remarks>
internal sealed class OrderRules(EvidenceIndex index, Findings findings)
{
    private readonly Dictionary<(AgentName Agent, long Version), Moment> _commits = [];
    private readonly Dictionary<(AgentName Agent, long Version), Moment> _latestReads = [];
    private readonly Dictionary<(AgentName Agent, long Version), List<(Placement Read, long Last)>> _readsByFirst = [];

    public void Check(IReadOnlyList<Placement> placements)
    {
        foreach (IGrouping<AgentIndex, Placement> reads in placements.GroupBy(placement => placement.Agent))
            Choose(reads.Key.Agent, [.. reads]);
        foreach (AgentIndex agent in index.Agents)
            Reads(agent.Agent, 0, null);
        // Along each agent commit_ts grows (I3), so in its order everything that comes before a transaction is known already.
        foreach (JournaledTransaction transaction in index.Transactions)
            Commit(transaction);
    }

    /// <summary>Takes, of several places where a read may belong, the first that is not before what had ended when it was invoked.</summary>
    private void Choose(AgentName agent, List<Placement> reads)
    {
        var ended = new List<(long EndedAt, long Version)>();
        if (reads.Exists(read => read.Runs.Count > 1))
        {
            ended.AddRange(from read in reads where read.Runs.Count == 1 select (read.Call.EndedAt, read.Runs[0].First));
            ended.AddRange(from commit in index.Agent(agent).Commits
                           let attempt = index.Transaction(agent, commit.Version)?.Attempt
                           where attempt is not null
                           select (attempt.EndedAt, commit.Version));
            ended.Sort();
        }
        int next = 0;
        long reached = 0;
        foreach (Placement read in reads.OrderBy(read => read.Call.InvokedAt))
        {
            for (; next < ended.Count && ended[next].EndedAt < read.Call.InvokedAt; next++)
                reached = Math.Max(reached, ended[next].Version);
            (long first, long last) = read.Runs.Count == 1 || !read.IsNewest ? read.Runs[0] : read.Runs.FirstOrDefault(run => run.Last >= reached, read.Runs[^1]);
            if (!_readsByFirst.TryGetValue((agent, first), out List<(Placement, long)>? same))
                _readsByFirst.Add((agent, first), same = []);
            same.Add((read, last));
        }
    }

    private void Commit(JournaledTransaction transaction)
    {
        findings.Count(Rule.Linearizable);
        Attempt? attempt = transaction.Attempt;
        var moment = new Moment(attempt?.InvokedAt ?? 0, attempt?.Calls[0], null, transaction);
        foreach ((AgentName agent, JournaledCommit commit) in transaction.Parts)
        {
            moment = moment.After(_commits.GetValueOrDefault((agent, commit.Version - 1)));
            moment = moment.After(_latestReads.GetValueOrDefault((agent, commit.Version - 1)));
        }
        if (attempt is not null && moment.At > attempt.EndedAt)
            moment = TooLate(moment, attempt.Calls.Find(call => call.EndedAt == attempt.EndedAt) ?? attempt.Calls[0], attempt.EndedAt, isNewest: true);
        foreach ((AgentName agent, JournaledCommit commit) in transaction.Parts)
        {
            _commits[(agent, commit.Version)] = moment;
            Reads(agent, commit.Version, moment);
        }
    }

    private void Reads(AgentName agent, long version, Moment? commit)
    {
        foreach ((Placement read, long last) in _readsByFirst.GetValueOrDefault((agent, version)) ?? [])
        {
            findings.Count(read.IsNewest ? Rule.Linearizable : Rule.Confirmed);
            Moment moment = new Moment(read.Call.InvokedAt, read.Call, null, null).After(commit);
            if (moment.At > read.Call.EndedAt)
                moment = TooLate(moment, read.Call, read.Call.EndedAt, read.IsNewest);
            if (read.IsNewest)
                _latestReads[(agent, last)] = moment.Latest(_latestReads.GetValueOrDefault((agent, last)));
        }
    }

    /// <returns>The moment to go on with: as late as the call allows, so that what follows is not blamed too.</returns>
    private Moment TooLate(Moment moment, RecordedCall call, long endedAt, bool isNewest)
    {
        Moment root = moment;
        var shared = new List<RecordedCall>();
        for (; root.Because is { } before; root = before)
        {
            // A commit over several agents on the way is what ties the one agent to the other.
            if (root.Transaction is { Parts.Count: > 1, Attempt: { } attempt })
                shared.Add(attempt.Calls[0]);
        }
        bool isSameAgents = root.Call is null || AgentsOf(root.Call).Intersect(AgentsOf(call)).Any();
        string rule = !isNewest ? Rule.Confirmed : isSameAgents ? Rule.Linearizable : Rule.Atomic;
        string message = $"#{call.Number} had ended at {call.EndedAt} µs, before #{root.Call?.Number} was invoked at {root.At} µs; but by the journals it comes after it.";
        findings.Broken(rule, message, [call, .. root.Call is null ? [] : new[] { root.Call }, .. isSameAgents ? [] : shared]);
        return new Moment(endedAt, call, null, null);
    }

    private static IEnumerable<AgentName> AgentsOf(RecordedCall call) => call.Call switch
    {
        ReadCall read => [read.Agent],
        ScanCall scan => [scan.Agent],
        TransactionCall transaction => transaction.Reads.Select(read => read.Agent).Concat(Attempt.SharesOf(call).Select(share => share.Agent)),
        _ => Attempt.SharesOf(call).Select(share => share.Agent),
    };

    /// <summary>The earliest moment at which a call can have taken effect, and why not earlier.</summary>
    /// <param name="At">Microseconds of the run.</param>
    /// <param name="Call">Null where nobody is known to have asked for it.</param>
    /// <param name="Because">What comes before it and is as late; null = it was not invoked earlier.</param>
    /// <param name="Transaction">Null for a read.</param>
    private sealed record Moment(long At, RecordedCall? Call, Moment? Because, JournaledTransaction? Transaction)
    {
        public Moment After(Moment? before) => before is not null && before.At > At ? this with { At = before.At, Because = before } : this;

        public Moment Latest(Moment? other) => other is not null && other.At > At ? other : this;
    }
}
