using System.Runtime.CompilerServices;
using Statehouse.Faults.History;
using Statehouse.V1;

namespace Statehouse.Faults.Clients;

/// <summary>
/// A client of statehouse.v1. A commit is begin, the writes, commit; nothing of it can have happened where it failed before the
/// last of these. There are no conditions, no reads inside of transactions, no reads of the past and no strong reads.
/// </summary>
/// <param name="address">For instance <c>127.0.0.1:50051</c>.</param>
/// <param name="clock">For waiting between two looks of a follower.</param>
public sealed class GrpcStoreClient(string address, TimeProvider? clock = null) : IStoreClient
{
    private static readonly TimeSpan FollowEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReplayBound = TimeSpan.FromSeconds(10);

    private readonly GrpcExchange _grpc = new(address);
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    public string Protocol => "grpc";

    public bool HasConditions => false;

    /// <exception cref="NotSupportedException">The call asks for what this protocol cannot say.</exception>
    public Task<CallResult> CallAsync(Call call, CancellationToken cancellationToken) => call switch
    {
        ReadCall { AtVersion: null } read => ReadAsync(read, cancellationToken),
        ScanCall { AtVersion: null } scan => ScanAsync(scan, cancellationToken),
        CommitCall { IdempotencyKey: null } commit => CommitAsync(commit.Shares, cancellationToken),
        TransactionCall { Reads: [] } transaction => TransactAsync(transaction, cancellationToken),
        _ => throw new NotSupportedException($"gRPC cannot say {call}."),
    };

    public FollowFailure? LastFollow { get; private set; }

    /// <summary>Replays from the start, over and over: this protocol's stream ends at the head, and its events have no version and no hash.</summary>
    public async IAsyncEnumerable<FollowedCommit> FollowAsync(
        AgentName agent, long afterVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ReplayRequest { Namespace = agent.Namespace, AgentId = agent.Id };
        long version = 0;
        while (true)
        {
            GrpcReply<IReadOnlyList<ReplayEvent>> reply = await ReplayAsync(request, cancellationToken);
            LastFollow = cancellationToken.IsCancellationRequested ? null : reply.Failure?.ToFollow();
            if (reply.Message is not { } events)
                yield break;
            foreach (ReplayEvent @event in events)
            {
                version++;
                request.StartTs = @event.CommitTs + 1;
                if (version > afterVersion)
                    yield return new FollowedCommit(version, (long)@event.CommitTs, "");
            }
            await Task.Delay(FollowEvery, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public ValueTask DisposeAsync()
    {
        _grpc.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<GrpcReply<IReadOnlyList<ReplayEvent>>> ReplayAsync(ReplayRequest request, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(ReplayBound);
        return await _grpc.ReadAllAsync("Replay", request, ReplayEvent.Parser, bound.Token);
    }

    private async Task<CallResult> ReadAsync(ReadCall call, CancellationToken cancellationToken)
    {
        var request = new GetStateRequest { Namespace = call.Agent.Namespace, AgentId = call.Agent.Id, Key = call.Key };
        GrpcReply<GetStateResponse> reply = await _grpc.CallAsync("GetState", request, GetStateResponse.Parser, cancellationToken);
        if (reply.Message is not { } state)
            return reply.Failure!.ToResult();
        string? value = state.Exists ? StructText.ToJson(state.Value) : null;
        return new CallResult(Outcome.Ok, new ReadAnswer(state.Exists, value, (long)state.Version, 0, (long)state.CommitTs));
    }

    private async Task<CallResult> ScanAsync(ScanCall call, CancellationToken cancellationToken)
    {
        var request = new ScanPrefixRequest { Namespace = call.Agent.Namespace, AgentId = call.Agent.Id, Prefix = call.Prefix };
        GrpcReply<ScanPrefixResponse> reply = await _grpc.CallAsync("ScanPrefix", request, ScanPrefixResponse.Parser, cancellationToken);
        if (reply.Message is not { } scan)
            return reply.Failure!.ToResult();
        IReadOnlyList<ScannedKey> items = [.. scan.Entries.Select(entry => new ScannedKey(entry.Key, StructText.ToJson(entry.Value), (long)entry.Version))];
        return new CallResult(Outcome.Ok, new ScanAnswer(0, items));
    }

    private async Task<CallResult> TransactAsync(TransactionCall call, CancellationToken cancellationToken)
    {
        IReadOnlyList<Share> shares = call.Decide([]);
        if (shares.Count == 0)
            return new CallResult(Outcome.Ok, new TransactionAnswer([], [], []));
        CallResult result = await CommitAsync(shares, cancellationToken);
        return result.Outcome switch
        {
            Outcome.Ok => result with { Answer = new TransactionAnswer([], shares, ((CommitAnswer)result.Answer!).Receipts) },
            Outcome.Unknown => result with { SentShares = shares },
            _ => result,
        };
    }

    private async Task<CallResult> CommitAsync(IReadOnlyList<Share> shares, CancellationToken cancellationToken)
    {
        GrpcReply<BeginTransactionResponse> begun = await _grpc.CallAsync(
            "BeginTransaction", new BeginTransactionRequest(), BeginTransactionResponse.Parser, cancellationToken);
        if (begun.Message is not { } transaction)
            return begun.Failure!.ToRefusal();
        foreach (Share share in shares)
        {
            if (await StageAsync(transaction.TxnId, share, cancellationToken) is not { } failure)
                continue;
            await _grpc.CallAsync("Abort", new AbortRequest { TxnId = transaction.TxnId }, AbortResponse.Parser, cancellationToken);
            return failure.ToRefusal();
        }
        GrpcReply<CommitResponse> committed = await _grpc.CallAsync(
            "Commit", new CommitRequest { TxnId = transaction.TxnId }, CommitResponse.Parser, cancellationToken);
        if (committed.Message is not { } commit)
            return committed.Failure!.ToResult();
        return new CallResult(Outcome.Ok, new CommitAnswer(
            [.. shares.Select(share => new Receipt(share.Agent, 0, (long)commit.CommitTs, transaction.TxnId, "", false))]));
    }

    private async Task<CallFailure?> StageAsync(string txn, Share share, CancellationToken cancellationToken)
    {
        if (share.IfAgentVersion is not null || share.Writes.Any(write => write.IfVersion is not null))
            throw new NotSupportedException("gRPC has no conditions.");
        foreach (Write write in share.Writes)
        {
            CallFailure? failure = write.Value is null
                ? (await _grpc.CallAsync("Delete", Delete(txn, share.Agent, write), DeleteResponse.Parser, cancellationToken)).Failure
                : (await _grpc.CallAsync("Write", Put(txn, share.Agent, write), WriteResponse.Parser, cancellationToken)).Failure;
            if (failure is not null)
                return failure;
        }
        return null;
    }

    private static WriteRequest Put(string txn, AgentName agent, Write write) =>
        new() { TxnId = txn, Namespace = agent.Namespace, AgentId = agent.Id, Key = write.Key, Value = StructText.ToStruct(write.Value!) };

    private static DeleteRequest Delete(string txn, AgentName agent, Write write) =>
        new() { TxnId = txn, Namespace = agent.Namespace, AgentId = agent.Id, Key = write.Key };
}
