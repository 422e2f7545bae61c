using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Globalization;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Transactions;

/// <summary>
/// <see cref="ITransactions"/> on top of any <see cref="IAgents"/>: staging costs memory here and nothing elsewhere,
/// the commit is one ordinary commit over the agents touched. Open transactions and staged bytes are bounded;
/// abandoned ones expire.
/// </summary>
public sealed class InteractiveTransactions : ITransactions, IAsyncDisposable
{
    // Repeated commits after a lost reply come within seconds; this is minutes' worth at full load.
    private const int EndedRemembered = 100_000;
    private static readonly TimeSpan ExpireEvery = TimeSpan.FromMilliseconds(250);

    private static readonly UpDownCounter<long> OpenCount = AgentsMetrics.Meter.CreateUpDownCounter<long>(
        "statehouse.transactions.open", "{transaction}", "Interactive transactions open now.");

    private static readonly Counter<long> EndedCount = AgentsMetrics.Meter.CreateCounter<long>(
        "statehouse.transactions.ended", "{transaction}", "Interactive transactions that ended, by how.");

    private static readonly string[] EndLabels = [.. Enum.GetNames<TransactionEnd>().Select(static name => name.ToLowerInvariant())];

    private readonly ConcurrentDictionary<Guid, OpenTransaction> _open = new();
    private readonly EndedTransactions _ended = new(EndedRemembered);
    private readonly IAgents _agents;
    private readonly Limits _limits;
    private readonly TimeProvider _clock;
    private readonly ITimer _expiry;
    private int _openCount;
    private long _stagedBytes;

    public InteractiveTransactions(IAgents agents, Limits limits, TimeProvider clock)
    {
        _agents = agents;
        _limits = limits;
        _clock = clock;
        _expiry = clock.CreateTimer(_ => ExpireOverdue(), null, ExpireEvery, ExpireEvery);
    }

    public Guid Begin(TimeSpan? timeout)
    {
        TimeSpan lifetime = timeout ?? _limits.TransactionTimeoutDefault;
        if (lifetime < TimeSpan.FromMilliseconds(1) || lifetime > _limits.TransactionTimeoutMax)
        {
            throw RefusedException.Invalid(
                "timeout_ms",
                string.Create(CultureInfo.InvariantCulture, $"1..{_limits.TransactionTimeoutMax.TotalMilliseconds:0}"),
                lifetime.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture));
        }
        if (Interlocked.Increment(ref _openCount) > _limits.OpenTransactionsMax)
        {
            Interlocked.Decrement(ref _openCount);
            throw new JournalBusyException($"{_limits.OpenTransactionsMax} transactions are open (setting limits.open_transactions_max); commit or abort some, or try again shortly.");
        }

        long deadline = _clock.GetTimestamp() + (long)(lifetime.TotalSeconds * _clock.TimestampFrequency);
        DateTimeOffset now = _clock.GetUtcNow();
        var transaction = new OpenTransaction(TransactionIds.New(now), CommitTime.From(now), deadline);
        _open[transaction.Id] = transaction;
        OpenCount.Add(1);
        return transaction.Id;
    }

    public void Stage(Guid transaction, ImmutableArray<StagedOperation> operations)
    {
        OpenTransaction open = Enter(transaction);
        try
        {
            long bytes = Check(open, operations);
            if (Interlocked.Add(ref _stagedBytes, bytes) > _limits.StagedBytesMax)
            {
                long staged = Interlocked.Add(ref _stagedBytes, -bytes) + bytes;
                throw RefusedException.OverLimit("bytes staged in open transactions", "staged_bytes_max", _limits.StagedBytesMax, staged);
            }
            open.Stage(operations, bytes);
        }
        finally
        {
            open.Leave();
        }
    }

    public async ValueTask<KeyState> GetAsync(Guid transaction, AgentId agent, Key key, CancellationToken cancellationToken)
    {
        CommitRules.CheckKey(key, "key", _limits);
        IAgentState state = _agents.Get(agent);
        OpenTransaction open = Enter(transaction);
        try
        {
            AgentShare share = open.ShareOf(agent);
            if (!share.TryGetRead(key, out KeyState? read))
            {
                ReadPoint at = share.ReadAt is { } version ? ReadPoint.AtVersion(version) : ReadPoint.Latest;
                read = await state.GetAsync(new GetRequest(key, at), cancellationToken).ConfigureAwait(false);
                share.Remember(read);
            }
            return share.Overlay(read);
        }
        finally
        {
            open.Leave();
        }
    }

    public async ValueTask<ImmutableArray<TransactionCommit>> CommitAsync(Guid transaction, CancellationToken cancellationToken)
    {
        if (_ended.TryGetCommits(transaction, out ImmutableArray<TransactionCommit> before))
            return before;
        // Once begun, a commit goes on to its end whether or not its caller still waits: a caller that comes back must
        // find the outcome, not begin a second commit beside the first.
        return await CommitToTheEndAsync(Enter(transaction)).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Abort(Guid transaction)
    {
        if (_open.TryGetValue(transaction, out OpenTransaction? open) && open.TryEnter())
        {
            End(open, TransactionEnd.Aborted);
            open.Leave();
        }
    }

    public async ValueTask DisposeAsync() => await _expiry.DisposeAsync().ConfigureAwait(false);

    private async Task<ImmutableArray<TransactionCommit>> CommitToTheEndAsync(OpenTransaction open)
    {
        try
        {
            ImmutableArray<TransactionCommit> commits = await CommitOpenAsync(open, CancellationToken.None).ConfigureAwait(false);
            End(open, TransactionEnd.Committed, commits);
            return commits;
        }
        catch (StatehouseException refusal) when (refusal.Code.Kind() == ErrorKind.Refusal)
        {
            End(open, TransactionEnd.Refused);
            throw;
        }
        catch (JournalOutcomeUnknownException)
        {
            open.IsInDoubt = true;
            throw;
        }
        finally
        {
            open.Leave();
        }
    }

    private async Task<ImmutableArray<TransactionCommit>> CommitOpenAsync(OpenTransaction open, CancellationToken cancellationToken)
    {
        AgentShare[] written = [.. open.Shares.Where(share => share.Operations.Count > 0)];
        if (written.Length == 0)
            return [];
        if (open.IsInDoubt && await InDoubtLookup.FindAsync(_agents, open.Id, open.Began, written, cancellationToken).ConfigureAwait(false) is { } found)
            return found;
        AgentShare[] touched = [.. written, .. open.Shares.Where(share => share.Operations.Count == 0 && share.HasReads)];
        ImmutableArray<CommitReceipt> receipts = await _agents.CommitTogetherAsync(
            [.. touched.Select(share => new AgentCommitRequest(share.Agent, share.ToRequest(open.Id)))], cancellationToken).ConfigureAwait(false);
        return [.. written.Select((share, i) => new TransactionCommit(share.Agent, receipts[i]))];
    }

    private long Check(OpenTransaction open, ImmutableArray<StagedOperation> operations)
    {
        if (operations.IsDefaultOrEmpty)
            throw RefusedException.Invalid("operations", "at least one operation", "none");
        CommitRules.AtMost(
            "operations", nameof(_limits.OperationsPerCommitMax), _limits.OperationsPerCommitMax, open.OperationCount + operations.Length);
        long bytes = 0;
        for (int i = 0; i < operations.Length; i++)
        {
            CommitRules.CheckAgent(operations[i].Agent, _limits);
            CommitRules.CheckOperation(operations[i].Operation, i, _limits);
            bytes += operations[i].Operation.Key.Length + operations[i].Operation.Value.Length;
        }
        CommitRules.AtMost("transaction", nameof(_limits.CommitBytesMax), _limits.CommitBytesMax, open.StagedBytes + bytes);
        return bytes;
    }

    /// <summary>The open transaction, with its gate taken.</summary>
    private OpenTransaction Enter(Guid id)
    {
        if (!_open.TryGetValue(id, out OpenTransaction? open))
            throw _ended.ReasonFor(id);
        if (!open.TryEnter())
            throw new JournalBusyException($"Another request of transaction {id} is still running; its requests go one after the other.");
        // It may have ended, or come of age, before the gate was taken.
        bool isOpen = _open.ContainsKey(id);
        bool isOverdue = isOpen && _clock.GetTimestamp() >= open.Deadline;
        if (isOpen && !isOverdue)
            return open;
        if (isOverdue)
            End(open, open.IsInDoubt ? TransactionEnd.ExpiredInDoubt : TransactionEnd.Expired);
        open.Leave();
        throw _ended.ReasonFor(id);
    }

    private void End(OpenTransaction open, TransactionEnd end, ImmutableArray<TransactionCommit> commits = default)
    {
        // Remembered before it leaves the table: a repeated commit must find it in one of the two.
        _ended.Remember(open.Id, end, commits);
        if (!_open.TryRemove(open.Id, out _))
            return;
        Interlocked.Decrement(ref _openCount);
        Interlocked.Add(ref _stagedBytes, -open.StagedBytes);
        OpenCount.Add(-1);
        EndedCount.Add(1, new KeyValuePair<string, object?>("end", EndLabels[(int)end]));
    }

    private void ExpireOverdue()
    {
        long now = _clock.GetTimestamp();
        foreach (OpenTransaction open in _open.Values)
        {
            // A transaction whose commit is running is not overdue any more: the commit decides.
            if (now < open.Deadline || !open.TryEnter())
                continue;
            if (_open.ContainsKey(open.Id))
                End(open, open.IsInDoubt ? TransactionEnd.ExpiredInDoubt : TransactionEnd.Expired);
            open.Leave();
        }
    }
}
