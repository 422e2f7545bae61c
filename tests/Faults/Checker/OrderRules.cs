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
/// A scan that fits in several places along a journal is put into the first, and into the next one as soon as the place before leads to a
/// contradiction: what contradicts the least demanding place contradicts it for good.
/// </remarks>
internal sealed class OrderRules(EvidenceIndex index, Findings findings)
{
    private const int PassesMax = 100;

    private readonly List<PlacedRead> _reads = [];

    public void Check(IReadOnlyList<Placement> placements)
    {
        foreach (IGrouping<AgentIndex, Placement> reads in placements.GroupBy(placement => placement.Agent))
            Choose(reads.Key, [.. reads]);
        findings.Count(Rule.Linearizable, index.Transactions.Count + _reads.Count(read => read.IsNewest));
        findings.Count(Rule.Confirmed, _reads.Count(read => !read.IsNewest));
        for (int pass = 1; ; pass++)
        {
            IReadOnlyList<LateCall> late = new OrderPass(index, _reads).Run();
            HashSet<PlacedRead> movable = [.. late.Select(call => call.Movable).OfType<PlacedRead>()];
            if (movable.Count > 0 && pass < PassesMax)
            {
                foreach (PlacedRead read in movable)
                    read.MoveOn();
                continue;
            }
            if (movable.Count > 0)
                findings.Undecided($"{movable.Count} scans that tell no version have a place in the journals' order or not: not found in {PassesMax} passes.");
            foreach (LateCall call in late.Where(call => call.Movable is null))
                Report(call);
            return;
        }
    }

    /// <summary>Begins, of several places where a read may belong, with the first that is not before what had ended when it was invoked.</summary>
    private void Choose(AgentIndex agent, List<Placement> reads)
    {
        var ended = new List<(long EndedAt, long Version)>();
        if (reads.Exists(read => read.Runs.Count > 1))
        {
            ended.AddRange(from read in reads where read.Runs.Count == 1 && read.IsNewest select (read.Call.EndedAt, read.Runs[0].First));
            ended.AddRange(from commit in agent.Commits
                           let attempt = index.Transaction(agent.Agent, commit.Version)?.Attempt
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
            var placed = new PlacedRead(read);
            while (read.IsNewest && placed.Last < reached && placed.CanMoveOn)
                placed.MoveOn();
            _reads.Add(placed);
        }
    }

    private void Report(LateCall late)
    {
        bool isSameAgents = late.Root is null || AgentsOf(late.Root).Intersect(AgentsOf(late.Call)).Any();
        string rule = !late.IsNewest ? Rule.Confirmed : isSameAgents ? Rule.Linearizable : Rule.Atomic;
        IEnumerable<RecordedCall> root = late.Root is null ? [] : [late.Root];
        findings.Broken(
            rule,
            $"#{late.Call.Number} had ended at {late.Call.EndedAt} µs, before #{late.Root?.Number} was invoked at {late.RootAt} µs; but by the journals it comes after it.",
            [late.Call, .. root, .. isSameAgents ? [] : late.Between]);
    }

    private static IEnumerable<AgentName> AgentsOf(RecordedCall call) => call.Call switch
    {
        ReadCall read => [read.Agent],
        ScanCall scan => [scan.Agent],
        TransactionCall transaction => transaction.Reads.Select(read => read.Agent).Concat(Attempt.SharesOf(call).Select(share => share.Agent)),
        _ => Attempt.SharesOf(call).Select(share => share.Agent),
    };
}
