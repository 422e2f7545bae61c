using Google.Protobuf;
using Statehouse.Agents;
using Statehouse.Journal;
using Statehouse.V1;
using DeleteRequest = Statehouse.Gateway.Wire.DeleteRequest;
using Operation = Statehouse.Agents.Operation;
using WriteRequest = Statehouse.Gateway.Wire.WriteRequest;

namespace Statehouse.Gateway;

/// <summary>The methods that write: everything goes through a transaction.</summary>
internal sealed class TransactionMethods(ITransactions transactions, Limits limits)
{
    public IEnumerable<GrpcMethod> All(string service) =>
    [
        new UnaryMethod<BeginTransactionRequest, BeginTransactionResponse>(service, "BeginTransaction", BeginTransactionRequest.Parser, BeginAsync),
        new UnaryMethod<WriteRequest, WriteResponse>(service, "Write", WriteRequest.Parser, WriteAsync),
        new UnaryMethod<DeleteRequest, DeleteResponse>(service, "Delete", DeleteRequest.Parser, DeleteAsync),
        new UnaryMethod<V1.CommitRequest, CommitResponse>(service, "Commit", V1.CommitRequest.Parser, CommitAsync),
        new UnaryMethod<AbortRequest, AbortResponse>(service, "Abort", AbortRequest.Parser, AbortAsync),
    ];

    private ValueTask<BeginTransactionResponse> BeginAsync(BeginTransactionRequest request, CancellationToken cancellationToken)
    {
        // Bounded before it is a TimeSpan, which has no room for every uint64; what is too long is refused by Begin.
        TimeSpan? timeout = request.HasTimeoutMs ? TimeSpan.FromMilliseconds(Math.Min(request.TimeoutMs, int.MaxValue)) : null;
        Guid id = transactions.Begin(timeout);
        return new(new BeginTransactionResponse { TxnId = id.ToString("D") });
    }

    private ValueTask<WriteResponse> WriteAsync(WriteRequest request, CancellationToken cancellationToken)
    {
        Guid id = WireNames.Transaction(request.TxnId);
        if (!request.HasValue)
            throw RefusedException.Invalid("value", "given (Delete deletes)", "absent");
        JsonText value = StructReader.ToJson("value", request.Value.Span, limits.JsonDepthMax);
        Stage(id, request.Namespace, request.AgentId, new Operation(OperationKind.Put, WireNames.Key("key", request.Key), value));
        return new(new WriteResponse());
    }

    private ValueTask<DeleteResponse> DeleteAsync(DeleteRequest request, CancellationToken cancellationToken)
    {
        Guid id = WireNames.Transaction(request.TxnId);
        Stage(id, request.Namespace, request.AgentId, new Operation(OperationKind.Delete, WireNames.Key("key", request.Key)));
        return new(new DeleteResponse());
    }

    private async ValueTask<CommitResponse> CommitAsync(V1.CommitRequest request, CancellationToken cancellationToken)
    {
        var commits = await transactions.CommitAsync(WireNames.Transaction(request.TxnId), cancellationToken);
        // All of them share one commit_ts; a transaction that staged nothing has none.
        CommitTs commitTs = commits.IsEmpty ? CommitTs.None : commits[0].Receipt.CommitTs;
        return new CommitResponse { CommitTs = (ulong)commitTs.Value };
    }

    private ValueTask<AbortResponse> AbortAsync(AbortRequest request, CancellationToken cancellationToken)
    {
        if (Guid.TryParseExact(request.TxnId, "D", out Guid id))
            transactions.Abort(id);
        return new(new AbortResponse());
    }

    private void Stage(Guid id, ByteString @namespace, ByteString agent, Operation operation) =>
        transactions.Stage(id, [new StagedOperation(WireNames.Agent(@namespace, agent), operation)]);
}
