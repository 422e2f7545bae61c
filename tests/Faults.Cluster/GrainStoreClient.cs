using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using Statehouse.Agents;
using Statehouse.Agents.Transactions;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using Statehouse.Journal;
using Receipt = Statehouse.Faults.History.Receipt;

namespace Statehouse.Faults.Cluster;

/// <summary>
/// A client that calls agents' grains itself. A call that Orleans gave up may still run, so its outcome is unknown; nothing is repeated.
/// Interactive transactions are kept in this process, as a gateway keeps them in its own, and committed together.
/// </summary>
/// <param name="connection">Shared with others; stays theirs to dispose.</param>
internal sealed class GrainStoreClient(GrainConnection connection) : IStoreClient
{
    private const int PageItemsMax = 1000;

    private InteractiveTransactions? _transactions;

    public string Protocol => "grains";

    public bool HasConditions => true;

    public async Task<CallResult> CallAsync(Call call, CancellationToken cancellationToken)
    {
        var step = new Step();
        try
        {
            // Orleans lets go of a call that is cancelled, but not always at once.
            return await MakeAsync(call, step, cancellationToken).WaitAsync(cancellationToken);
        }
        catch (Exception error) when (IsOutside(error))
        {
            CallFailure failure = FailureOf(error);
            bool mayHaveWritten = !step.TryEnd();
            TransactionAnswer? partial = call is TransactionCall ? new TransactionAnswer([.. step.Reads], [], []) : null;
            if (!mayHaveWritten && call is CommitCall or TransactionCall)
                return failure.ToRefusal(partial);
            CallResult result = failure.ToResult(partial);
            return call is TransactionCall && result.Outcome == Outcome.Unknown ? result with { SentShares = step.Shares } : result;
        }
    }

    public FollowFailure? LastFollow { get; private set; }

    public async IAsyncEnumerable<FollowedCommit> FollowAsync(
        AgentName agent, long afterVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LastFollow = null;
        if (await OpenAsync(agent, afterVersion, cancellationToken) is not { } commits)
            yield break;
        try
        {
            while (await MovesAsync(commits, cancellationToken))
            {
                JournalCommit commit = commits.Current;
                yield return new FollowedCommit(commit.Version.Value, commit.CommitTs.Value, commit.Hash.ToString());
            }
        }
        finally
        {
            await EndAsync(commits);
        }
    }

    public ValueTask DisposeAsync() => _transactions?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<CallResult> MakeAsync(Call call, Step step, CancellationToken cancellationToken)
    {
        var agents = new GrainAgents(await connection.ClientAsync().WaitAsync(cancellationToken));
        return call switch
        {
            ReadCall read => new CallResult(Outcome.Ok, Answer(await agents.Get(Id(read.Agent)).GetAsync(Request(read), cancellationToken))),
            ScanCall scan => await ScanAsync(agents, scan, cancellationToken),
            CommitCall commit => await CommitAsync(agents, commit, step, cancellationToken),
            TransactionCall transaction => await TransactAsync(agents, transaction, step, cancellationToken),
            _ => throw new NotSupportedException(call.GetType().Name),
        };
    }

    private static async Task<CallResult> ScanAsync(GrainAgents agents, ScanCall call, CancellationToken cancellationToken)
    {
        var items = new List<ScannedKey>();
        var request = new ScanRequest(
            new Key(call.Prefix), default, PageItemsMax,
            At: call.AtVersion is { } version ? ReadPoint.AtVersion(new AgentVersion(version)) : ReadPoint.Latest, Consistency: Freshness(call.AtVersion, call.IsStrong));
        while (true)
        {
            ScanPage page = await agents.Get(Id(call.Agent)).ScanAsync(request, cancellationToken);
            items.AddRange(page.Items.Select(item => new ScannedKey(item.Key.ToString(), item.Value.ToString(), item.Version.Value)));
            if (!page.HasMore)
                return new CallResult(Outcome.Ok, new ScanAnswer(page.AgentVersion.Value, items));
            request = request with { After = page.Items[^1].Key, At = ReadPoint.AtVersion(page.AgentVersion), Consistency = Consistency.Default };
        }
    }

    private static async Task<CallResult> CommitAsync(GrainAgents agents, CommitCall call, Step step, CancellationToken cancellationToken)
    {
        ImmutableArray<AgentCommitRequest> commits = [.. call.Shares.Select(share => new AgentCommitRequest(Id(share.Agent), Request(share, call.IdempotencyKey)))];
        step.BeginCommit();
        ImmutableArray<CommitReceipt> receipts = await agents.CommitTogetherAsync(commits, cancellationToken);
        return new CallResult(Outcome.Ok, new CommitAnswer([.. call.Shares.Select((share, i) => Told(share.Agent, receipts[i]))]));
    }

    private async Task<CallResult> TransactAsync(GrainAgents agents, TransactionCall call, Step step, CancellationToken cancellationToken)
    {
        InteractiveTransactions transactions = _transactions ??= new InteractiveTransactions(agents, Limits.Default, TimeProvider.System);
        Guid txn = transactions.Begin(timeout: null);
        try
        {
            foreach ((AgentName agent, string key) in call.Reads)
                step.Reads.Add(Answer(await transactions.GetAsync(txn, Id(agent), new Key(key), cancellationToken)));
            step.Shares = call.Decide(step.Reads);
            if (step.Shares.Count == 0)
                return new CallResult(Outcome.Ok, new TransactionAnswer([.. step.Reads], [], []));
            transactions.Stage(txn, [.. step.Shares.SelectMany(share => share.Writes.Select(write => new StagedOperation(Id(share.Agent), Operation(write))))]);
            step.BeginCommit();
            Dictionary<AgentId, CommitReceipt> receipts = (await transactions.CommitAsync(txn, cancellationToken)).ToDictionary(commit => commit.Agent, commit => commit.Receipt);
            return new CallResult(Outcome.Ok, new TransactionAnswer(
                [.. step.Reads], step.Shares, [.. step.Shares.Select(share => Told(share.Agent, receipts[Id(share.Agent)]))]));
        }
        finally
        {
            // One that was committed, or may have been, is left as it is.
            if (!step.IsCommitting)
                transactions.Abort(txn);
        }
    }

    private async Task<IAsyncEnumerator<JournalCommit>?> OpenAsync(AgentName agent, long afterVersion, CancellationToken cancellationToken)
    {
        try
        {
            IClusterClient cluster = await connection.ClientAsync().WaitAsync(cancellationToken);
            return new GrainAgents(cluster).Get(Id(agent)).ReplayAsync(new AgentVersion(afterVersion + 1), follow: true, cancellationToken).GetAsyncEnumerator(cancellationToken);
        }
        catch (Exception error) when (IsOutside(error))
        {
            LastFollow = cancellationToken.IsCancellationRequested ? null : FailureOf(error).ToFollow();
            return null;
        }
    }

    private async Task<bool> MovesAsync(IAsyncEnumerator<JournalCommit> commits, CancellationToken cancellationToken)
    {
        try
        {
            return await commits.MoveNextAsync();
        }
        catch (Exception error) when (IsOutside(error))
        {
            LastFollow = cancellationToken.IsCancellationRequested ? null : FailureOf(error).ToFollow();
            return false;
        }
    }

    private static async Task EndAsync(IAsyncEnumerator<JournalCommit> commits)
    {
        try
        {
            await commits.DisposeAsync();
        }
        catch (Exception error) when (IsOutside(error))
        {
            // Its silo is gone, and what it held of the enumeration with it.
        }
    }

    /// <summary>What a silo, the network or a bound can do. The rest, for instance a cast that fails, is a bug of the harness.</summary>
    private static bool IsOutside(Exception error) =>
        error is StatehouseException or OrleansException or TimeoutException or OperationCanceledException or EnumerationAbortedException or ObjectDisposedException or IOException;

    private static CallFailure FailureOf(Exception error) => error switch
    {
        StatehouseException known => CallFailure.OfCode(known.Code.Text(), known.Message),
        OperationCanceledException or TimeoutException => new CallFailure("timeout", true, error.Message),
        _ => new CallFailure(error.GetType().Name, true, error.Message),
    };

    private static AgentId Id(AgentName agent) => new(agent.Namespace, agent.Id);

    private static GetRequest Request(ReadCall call) => call.AtVersion is { } version
        ? new GetRequest(new Key(call.Key), ReadPoint.AtVersion(new AgentVersion(version)))
        : new GetRequest(new Key(call.Key), Consistency: Freshness(null, call.IsStrong));

    private static Consistency Freshness(long? atVersion, bool isStrong) => isStrong && atVersion is null ? Consistency.Strong : Consistency.Default;

    private static CommitRequest Request(Share share, string? idempotencyKey) => new([.. share.Writes.Select(Operation)])
    {
        IfAgentVersion = share.IfAgentVersion is { } version ? new AgentVersion(version) : null,
        IdempotencyKey = idempotencyKey,
    };

    private static Operation Operation(Write write) => write.Value is null
        ? new Operation(OperationKind.Delete, new Key(write.Key), IfVersion: Version(write))
        : new Operation(OperationKind.Put, new Key(write.Key), JsonText.Parse("value", Encoding.UTF8.GetBytes(write.Value), Limits.Default.JsonDepthMax), Version(write));

    private static KeyVersion? Version(Write write) => write.IfVersion is { } version ? new KeyVersion(version) : null;

    private static ReadAnswer Answer(KeyState state) =>
        new(state.Exists, state.Exists ? state.Value.ToString() : null, state.Version.Value, state.AgentVersion.Value, state.CommitTs.Value);

    private static Receipt Told(AgentName agent, CommitReceipt receipt) =>
        new(agent, receipt.Version.Value, receipt.CommitTs.Value, receipt.TxnId.ToString(), receipt.Hash.ToString(), receipt.Replayed);

    /// <summary>How far a call has come. One that its caller gave up goes on behind its back, but no longer begins to commit.</summary>
    private sealed class Step
    {
        private const int Open = 0;
        private const int Committing = 1;
        private const int Ended = 2;

        private int _state;

        public List<ReadAnswer> Reads { get; } = [];

        public IReadOnlyList<Share> Shares { get; set; } = [];

        public bool IsCommitting => Volatile.Read(ref _state) == Committing;

        /// <exception cref="OperationCanceledException">The caller has given up.</exception>
        public void BeginCommit()
        {
            if (Interlocked.CompareExchange(ref _state, Committing, Open) != Open)
                throw new OperationCanceledException();
        }

        /// <returns>False where the commit has begun: it may take effect.</returns>
        public bool TryEnd() => Interlocked.CompareExchange(ref _state, Ended, Open) == Open;
    }
}
