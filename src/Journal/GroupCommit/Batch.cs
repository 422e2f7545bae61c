namespace Statehouse.Journal.GroupCommit;

/// <summary>
/// Gathers queued units into what the store writes in one round trip. Consecutive units of one agent that chain on
/// each other become one run, so a hot agent's pipelined commits share a batch (the store's contract has each agent
/// at most once in it).
/// </summary>
internal sealed class Batch(GroupCommitOptions options)
{
    private readonly Dictionary<JournalHandle, Group> _open = [];
    private readonly List<Group> _groups = [];
    private int _commitCount;
    private long _bytes;

    public bool IsEmpty => _groups.Count == 0;

    public int CommitCount => _commitCount;

    public int UnitCount { get; private set; }

    public long Bytes => _bytes;

    /// <summary>Takes a unit in, or says no: the batch is full, or the unit must wait for one of this batch to be decided.</summary>
    public bool TryAdd(QueuedUnit queued)
    {
        if (!IsEmpty && (_commitCount + queued.CommitCount > options.CommitsPerBatchMax || _bytes + queued.Bytes > options.BytesPerBatchMax))
            return false;
        if (!TryJoinOrOpen(queued))
            return false;
        _commitCount += queued.CommitCount;
        _bytes += queued.Bytes;
        UnitCount++;
        return true;
    }

    public bool IsFull => _commitCount >= options.CommitsPerBatchMax || _bytes >= options.BytesPerBatchMax;

    /// <summary>What the store gets: one unit per group.</summary>
    public IReadOnlyList<AppendUnit> ToUnits()
    {
        var units = new AppendUnit[_groups.Count];
        for (int i = 0; i < units.Length; i++)
            units[i] = _groups[i].ToUnit();
        return units;
    }

    /// <summary>Tells everyone what the store made of their unit.</summary>
    public void Settle()
    {
        foreach (Group group in _groups)
            group.Settle();
    }

    /// <summary>Tells everyone that the write failed, but for units that the store had decided before: those keep their outcome.</summary>
    public void Fail(StatehouseException reason)
    {
        foreach (Group group in _groups)
        {
            if (group.IsDecided)
                group.Settle();
            else
                group.Fail(reason);
        }
    }

    public void Clear()
    {
        _open.Clear();
        _groups.Clear();
        _commitCount = 0;
        _bytes = 0;
        UnitCount = 0;
    }

    private bool TryJoinOrOpen(QueuedUnit queued)
    {
        if (queued.SingleRun is { } run && _open.TryGetValue(run.Handle, out Group? open))
            return open.TryJoin(queued, run);
        // By index: an interface's enumerator is an object.
        IReadOnlyList<AppendRun> runs = queued.Unit.Runs;
        for (int r = 0; r < runs.Count; r++)
        {
            if (_open.ContainsKey(runs[r].Handle))
                return false;
        }

        var group = new Group(queued);
        for (int r = 0; r < runs.Count; r++)
            _open.Add(runs[r].Handle, group);
        _groups.Add(group);
        return true;
    }

    /// <summary>One unit, or several of one agent that chain.</summary>
    private sealed class Group(QueuedUnit first)
    {
        private List<QueuedUnit>? _joined;
        private AppendUnit _written = first.Unit;

        public bool TryJoin(QueuedUnit queued, AppendRun run)
        {
            QueuedUnit last = _joined is null ? first : _joined[^1];
            // A unit that was decided on something else (its agent reloaded meanwhile) must meet the journal by
            // itself; only the journal knows which of the two is stale.
            if (last.SingleRun is not { } previous || run.ExpectedHash != previous.Commits[^1].Hash)
                return false;
            (_joined ??= [first]).Add(queued);
            return true;
        }

        public AppendUnit ToUnit()
        {
            if (_joined is not null)
            {
                var commits = new List<JournalCommit>();
                foreach (QueuedUnit queued in _joined)
                    commits.AddRange(queued.SingleRun!.Commits);
                AppendRun head = first.SingleRun!;
                _written = new AppendUnit([new AppendRun(head.Handle, head.ExpectedVersion, head.ExpectedHash, commits)]);
            }
            return _written;
        }

        public bool IsDecided => _written.Outcome != AppendOutcome.Pending;

        public void Settle()
        {
            if (!IsDecided)
                throw new InvalidOperationException("The store returned without deciding a unit.");
            if (_written.Outcome == AppendOutcome.Conflict)
                Fail(Conflict(_written));
            else
                Acknowledge();
        }

        public void Fail(StatehouseException reason)
        {
            if (_joined is null)
                first.Refuse(reason);
            else
                _joined.ForEach(queued => queued.Refuse(reason));
        }

        private void Acknowledge()
        {
            JournalMetrics.Commits.Add(_written.Runs[0].Commits.Count * (long)_written.Runs.Count);
            if (_joined is null)
            {
                first.Acknowledge();
                return;
            }
            ReadOnlySpan<CommitTs> positions = _written.Runs[0].CommitTs;
            foreach (QueuedUnit queued in _joined)
            {
                CommitTs[] own = queued.SingleRun!.CommitTs;
                positions[..own.Length].CopyTo(own);
                positions = positions[own.Length..];
                queued.Acknowledge();
            }
        }

        private static StateConflictException Conflict(AppendUnit unit)
        {
            AppendRun run = unit.Runs[0];
            string others = unit.Runs.Count > 1 ? $" (or one of {unit.Runs.Count - 1} others)" : "";
            return new StateConflictException(
                $"The journal of agent {run.Handle.Agent}{others} no longer ends at version {run.ExpectedVersion}: another writer was first.");
        }
    }
}
