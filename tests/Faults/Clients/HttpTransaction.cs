using Statehouse.Faults.History;

namespace Statehouse.Faults.Clients;

/// <summary>
/// One interactive transaction, step by step. Nothing is written before its commit, which is sent only after every other step was answered:
/// whatever goes wrong before, the call did not happen.
/// </summary>
internal sealed class HttpTransaction(HttpExchange http)
{
    private static readonly byte[] Nothing = "{}"u8.ToArray();

    private readonly List<ReadAnswer> _reads = [];

    public async Task<CallResult> RunAsync(TransactionCall call, CancellationToken cancellationToken)
    {
        HttpReply begun = await http.PostAsync("/v1/transactions", Nothing, cancellationToken);
        if (!begun.IsOk)
            return begun.Failure.ToRefusal();
        string path = "/v1/transactions/" + HttpAnswers.Text(begun.Json, "txn_id");
        CallFailure? failure = await ReadAllAsync(path, call.Reads, cancellationToken);
        if (failure is not null)
            return await DropAsync(path, failure, cancellationToken);
        IReadOnlyList<Share> shares = call.Decide(_reads);
        if (shares.Count == 0)
        {
            // Where the abort is lost the transaction expires: nothing was staged.
            await http.DeleteAsync(path, cancellationToken);
            return new CallResult(Outcome.Ok, new TransactionAnswer(_reads, [], []));
        }
        HttpReply staged = await http.PostAsync(path + "/operations", HttpBodies.Staged(shares), cancellationToken);
        if (!staged.IsOk)
            return await DropAsync(path, staged.Failure, cancellationToken);
        return Ended(await http.PostAsync(path + "/commit", Nothing, cancellationToken), shares);
    }

    private CallResult Ended(HttpReply committed, IReadOnlyList<Share> shares)
    {
        if (committed.IsOk)
            return new CallResult(Outcome.Ok, new TransactionAnswer(_reads, shares, HttpAnswers.Receipts(committed.Json, shares, isReplayed: false)));
        CallResult result = committed.Failure.ToResult(Partial());
        return result.Outcome == Outcome.Unknown ? result with { SentShares = shares } : result;
    }

    private async Task<CallFailure?> ReadAllAsync(string path, IReadOnlyList<(AgentName Agent, string Key)> reads, CancellationToken cancellationToken)
    {
        foreach ((AgentName agent, string key) in reads)
        {
            HttpReply reply = await http.GetAsync(
                $"{path}/namespaces/{HttpExchange.Escaped(agent.Namespace)}/agents/{HttpExchange.Escaped(agent.Id)}/state/{HttpExchange.Escaped(key)}", cancellationToken);
            if (!HttpAnswers.TryRead(reply, out ReadAnswer answer))
                return reply.Failure!;
            _reads.Add(answer);
        }
        return null;
    }

    private async Task<CallResult> DropAsync(string path, CallFailure failure, CancellationToken cancellationToken)
    {
        await http.DeleteAsync(path, cancellationToken);
        return failure.ToRefusal(Partial());
    }

    private TransactionAnswer Partial() => new(_reads, [], []);
}
