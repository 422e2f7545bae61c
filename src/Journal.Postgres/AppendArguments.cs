using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>One run on its way into an append.</summary>
/// <param name="Run">What to append.</param>
/// <param name="Unit">Its unit: 1, 2, 3, … within this append.</param>
/// <param name="StreamId">The agent's row number: a fresh one where the run creates the agent.</param>
internal readonly record struct RunSlot(AppendRun Run, int Unit, long StreamId)
{
    public bool Creates => Run.ExpectedVersion == AgentVersion.None;
}

/// <summary>
/// The arrays that statehouse.append and statehouse.append_units take; 0002_append.sql says what each holds. Runs that
/// create agents come first, by name, then the others by row number: the one order in which all servers take rows.
/// </summary>
internal sealed class AppendArguments
{
    private readonly List<RunSlot> _slots;
    private readonly short[] _newKind;
    private readonly string[] _newNamespace;
    private readonly string[] _newName;
    private readonly long[] _runStream;
    private readonly long[] _runVersion;
    private readonly ReadOnlyMemory<byte>[] _runHash;
    private readonly int[] _runLast;
    private readonly int[] _commitRun;
    private readonly long[] _commitVersion;
    private readonly long[] _commitTime;
    private readonly Guid[] _commitTxn;
    private readonly ReadOnlyMemory<byte>[] _commitHash;
    private readonly ReadOnlyMemory<byte>[] _commitBody;

    /// <param name="slots">At least one; sorted here.</param>
    /// <exception cref="InvariantBrokenException">SH-9001. A run's versions do not follow the one it was decided on.</exception>
    public AppendArguments(List<RunSlot> slots)
    {
        slots.Sort(LockOrder);
        _slots = slots;
        int creating = 0, commits = 0;
        foreach (ref readonly RunSlot slot in CollectionsMarshal.AsSpan(slots))
        {
            creating += slot.Creates ? 1 : 0;
            commits += slot.Run.Commits.Count;
        }
        _newKind = new short[creating];
        _newNamespace = new string[creating];
        _newName = new string[creating];
        _runStream = new long[slots.Count];
        _runVersion = new long[slots.Count];
        _runHash = new ReadOnlyMemory<byte>[slots.Count];
        _runLast = new int[slots.Count];
        _commitRun = new int[commits];
        _commitVersion = new long[commits];
        _commitTime = new long[commits];
        _commitTxn = new Guid[commits];
        _commitHash = new ReadOnlyMemory<byte>[commits];
        _commitBody = new ReadOnlyMemory<byte>[commits];
        Index = IndexArguments.Of(slots);
        Fill(new byte[CommitHash.Size * (slots.Count + commits)]);
    }

    /// <summary>The index rows among the commits; null where there are none.</summary>
    public IndexArguments? Index { get; }

    /// <summary>The arguments of statehouse.append.</summary>
    public void AddTo(NpgsqlCommand command) => command.AddRange(
        PgParameter.OfArray(_newKind, NpgsqlDbType.Smallint),
        PgParameter.OfArray(_newNamespace, NpgsqlDbType.Text),
        PgParameter.OfArray(_newName, NpgsqlDbType.Text),
        PgParameter.OfArray(_runStream, NpgsqlDbType.Bigint),
        PgParameter.OfArray(_runVersion, NpgsqlDbType.Bigint),
        PgParameter.OfArray(_runHash, NpgsqlDbType.Bytea),
        PgParameter.OfArray(_runLast, NpgsqlDbType.Integer),
        PgParameter.OfArray(_commitRun, NpgsqlDbType.Integer),
        PgParameter.OfArray(_commitVersion, NpgsqlDbType.Bigint),
        PgParameter.OfArray(_commitTime, NpgsqlDbType.Bigint),
        PgParameter.OfArray(_commitTxn, NpgsqlDbType.Uuid),
        PgParameter.OfArray(_commitHash, NpgsqlDbType.Bytea),
        PgParameter.OfArray(_commitBody, NpgsqlDbType.Bytea));

    /// <summary>The arguments that statehouse.append_units takes besides.</summary>
    public void AddUnitsTo(NpgsqlCommand command)
    {
        TransactionNumbers numbers = new(_slots, _commitTxn);
        command.AddRange(
            PgParameter.OfArray(_slots.Select(static slot => slot.Unit).ToArray(), NpgsqlDbType.Integer),
            PgParameter.OfArray(numbers.OfCommits, NpgsqlDbType.Integer),
            PgParameter.OfArray(numbers.Units, NpgsqlDbType.Integer));
    }

    /// <summary>Tells the units what became of them.</summary>
    /// <param name="units">The units that the slots were made from, in order.</param>
    /// <param name="positions">What the function returned.</param>
    public void Settle(IReadOnlyList<AppendUnit> units, ReadOnlySpan<long> positions)
    {
        int commit = 0;
        foreach (ref readonly RunSlot slot in CollectionsMarshal.AsSpan(_slots))
        {
            ReadOnlySpan<long> own = positions.Slice(commit, slot.Run.CommitTs.Length);
            commit += own.Length;
            bool appended = own[0] > 0;
            units[slot.Unit - 1].Outcome = appended ? AppendOutcome.Appended : AppendOutcome.Conflict;
            if (!appended)
                continue;
            slot.Run.Handle.StoreKey = slot.StreamId;
            for (int i = 0; i < own.Length; i++)
                slot.Run.CommitTs[i] = new CommitTs(own[i]);
        }
    }

    private static int LockOrder(RunSlot left, RunSlot right)
    {
        if (left.Creates != right.Creates)
            return left.Creates ? -1 : 1;
        return left.Creates
            ? left.Run.Handle.Agent.CompareTo(right.Run.Handle.Agent)
            : left.StreamId.CompareTo(right.StreamId);
    }

    /// <param name="hashes">Holds all hashes side by side, so that each needs no array of its own.</param>
    private void Fill(Memory<byte> hashes)
    {
        int commit = 0;
        for (int run = 0; run < _slots.Count; run++)
        {
            RunSlot slot = _slots[run];
            if (slot.Creates)
                FillNew(run, slot.Run.Handle.Agent);
            _runStream[run] = slot.StreamId;
            _runVersion[run] = slot.Run.ExpectedVersion.Value;
            _runHash[run] = Keep(slot.Run.ExpectedHash, ref hashes);
            for (int c = 0; c < slot.Run.Commits.Count; c++)
                FillCommit(commit++, run, slot.Run.Commits[c], ref hashes);
            _runLast[run] = commit; // arrays count from 1 there
            CheckVersions(slot.Run);
        }
    }

    private void FillNew(int run, AgentId agent)
    {
        _newKind[run] = (short)agent.Kind;
        _newNamespace[run] = agent.Namespace;
        _newName[run] = agent.Name;
    }

    private void FillCommit(int commit, int run, JournalCommit source, ref Memory<byte> hashes)
    {
        _commitRun[commit] = run + 1;
        _commitVersion[commit] = source.Version.Value;
        _commitTime[commit] = source.Time.UnixMicroseconds;
        _commitTxn[commit] = source.TxnId;
        _commitHash[commit] = Keep(source.Hash, ref hashes);
        _commitBody[commit] = source.Body;
    }

    private static ReadOnlyMemory<byte> Keep(in CommitHash hash, ref Memory<byte> rest)
    {
        Memory<byte> kept = rest[..CommitHash.Size];
        rest = rest[CommitHash.Size..];
        hash.AsSpan().CopyTo(kept.Span);
        return kept;
    }

    private static void CheckVersions(AppendRun run)
    {
        AgentVersion version = run.ExpectedVersion;
        for (int c = 0; c < run.Commits.Count; c++)
        {
            version = version.Next;
            if (run.Commits[c].Version != version)
                throw new InvariantBrokenException($"An append to {run.Handle.Agent} carries version {run.Commits[c].Version} where {version} must follow.");
        }
    }
}
