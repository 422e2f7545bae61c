using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>A call that comes, by the journals, after one that was invoked when it had ended.</summary>
/// <param name="Call">It had ended.</param>
/// <param name="IsNewest">False for a read that may be old.</param>
/// <param name="Root">What was invoked later and comes before it; null where nobody is known to have asked for it.</param>
/// <param name="RootAt">When that was invoked.</param>
/// <param name="Between">Commits over several agents on the way from the one to the other: they tie the agents to each other.</param>
/// <param name="Movable">A read on the way that may also belong further on; null = none.</param>
internal sealed record LateCall(RecordedCall Call, bool IsNewest, RecordedCall? Root, long RootAt, IReadOnlyList<RecordedCall> Between, PlacedRead? Movable);

/// <summary>A read at one of the places where it may belong.</summary>
internal sealed class PlacedRead(Placement placement)
{
    private int _run;

    public RecordedCall Call => placement.Call;

    public AgentName Agent => placement.Agent.Agent;

    public bool IsNewest => placement.IsNewest;

    /// <summary>After this version.</summary>
    public long First => placement.Runs[_run].First;

    /// <summary>Before the version that follows on this one.</summary>
    public long Last => placement.Runs[_run].Last;

    public bool CanMoveOn => _run < placement.Runs.Count - 1;

    public void MoveOn() => _run++;
}

/// <summary>Finds the earliest moment of each call, in the order of the journals, with each read at its place.</summary>
internal sealed class OrderPass
{
    private readonly EvidenceIndex _index;
    private readonly Dictionary<(AgentName Agent, long Version), Moment> _commits = [];
    private readonly Dictionary<(AgentName Agent, long Version), Moment> _latestReads = [];
    private readonly ILookup<(AgentName Agent, long Version), PlacedRead> _readsByFirst;
    private readonly List<LateCall> _late = [];

    public OrderPass(EvidenceIndex index, IReadOnlyList<PlacedRead> reads)
    {
        _index = index;
        _readsByFirst = reads.ToLookup(read => (read.Agent, read.First));
    }

    public IReadOnlyList<LateCall> Run()
    {
        foreach (AgentIndex agent in _index.Agents)
            Reads(agent.Agent, 0, null);
        // Along each agent commit_ts grows (I3), so in its order everything that comes before a transaction is known already.
        foreach (JournaledTransaction transaction in _index.Transactions)
            Commit(transaction);
        return _late;
    }

    private void Commit(JournaledTransaction transaction)
    {
        Attempt? attempt = transaction.Attempt;
        RecordedCall? call = attempt?.Calls.Find(call => call.EndedAt == attempt.EndedAt) ?? attempt?.Calls[0];
        var before = new List<Moment?>();
        foreach ((AgentName agent, JournaledCommit commit) in transaction.Parts)
        {
            before.Add(_commits.GetValueOrDefault((agent, commit.Version - 1)));
            before.Add(_latestReads.GetValueOrDefault((agent, commit.Version - 1)));
        }
        var own = new Moment(attempt?.InvokedAt ?? 0, attempt?.Calls[0], null, transaction, null);
        Moment moment = After(own, before, call, attempt?.EndedAt ?? long.MaxValue, isNewest: true);
        foreach ((AgentName agent, JournaledCommit commit) in transaction.Parts)
        {
            _commits[(agent, commit.Version)] = moment;
            Reads(agent, commit.Version, moment);
        }
    }

    private void Reads(AgentName agent, long version, Moment? commit)
    {
        foreach (PlacedRead read in _readsByFirst[(agent, version)])
        {
            var own = new Moment(read.Call.InvokedAt, read.Call, null, null, read);
            Moment moment = After(own, [commit], read.Call, read.Call.EndedAt, read.IsNewest);
            if (read.IsNewest)
                _latestReads[(agent, read.Last)] = moment.Latest(_latestReads.GetValueOrDefault((agent, read.Last)));
        }
    }

    /// <summary>The moment after all that comes before it; what comes too late is told, and passed over, so that nothing else is blamed for it.</summary>
    private Moment After(Moment own, IReadOnlyList<Moment?> before, RecordedCall? call, long endedAt, bool isNewest)
    {
        Moment? tooLate = null;
        foreach (Moment one in before.OfType<Moment>())
        {
            if (one.At > endedAt)
                tooLate = one.Latest(tooLate);
            else
                own = own.After(one);
        }
        if (tooLate is not null)
            _late.Add(Late(tooLate, call!, isNewest));
        return own;
    }

    private static LateCall Late(Moment before, RecordedCall call, bool isNewest)
    {
        Moment root = before;
        PlacedRead? movable = null;
        var between = new List<RecordedCall>();
        while (true)
        {
            if (root.Read is { CanMoveOn: true })
                movable = root.Read;
            if (root.Because is not { } earlier)
                return new LateCall(call, isNewest, root.Call, root.At, between, movable);
            if (root.Transaction is { Parts.Count: > 1, Attempt: { } attempt })
                between.Add(attempt.Calls[0]);
            root = earlier;
        }
    }

    /// <summary>The earliest moment at which a call can have taken effect, and why not earlier.</summary>
    /// <param name="At">Microseconds of the run.</param>
    /// <param name="Call">Null where nobody is known to have asked for it.</param>
    /// <param name="Because">What comes before it and is as late; null = it was not invoked earlier.</param>
    /// <param name="Transaction">Null for a read.</param>
    /// <param name="Read">Null for a commit.</param>
    private sealed record Moment(long At, RecordedCall? Call, Moment? Because, JournaledTransaction? Transaction, PlacedRead? Read)
    {
        public Moment After(Moment? before) => before is not null && before.At > At ? this with { At = before.At, Because = before } : this;

        public Moment Latest(Moment? other) => other is not null && other.At > At ? other : this;
    }
}
