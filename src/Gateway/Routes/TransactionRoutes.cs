using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Interactive transactions: begin, stage, read, commit, drop.</summary>
internal sealed class TransactionRoutes(ITransactions transactions, Limits limits, TimeProvider clock)
{
    private const string All = "/v1/transactions";
    private const string One = All + "/{txn}";

    public IEnumerable<ApiRoute> Routes =>
    [
        new("POST", All, BeginAsync),
        new("POST", One + "/operations", StageAsync),
        new("GET", One + "/namespaces/{ns}/agents/{agent}/state/{key}", GetAsync),
        new("POST", One + "/commit", CommitAsync),
        new("DELETE", One, AbortAsync),
    ];

    private async ValueTask BeginAsync(Call call)
    {
        using RequestBody body = await call.ReadBodyAsync();
        long longestMs = (long)limits.TransactionTimeoutMax.TotalMilliseconds;
        long? timeoutMs = CommitJson.TimeoutMs(body.Utf8);
        if (timeoutMs is < 1 || timeoutMs > longestMs)
            throw RefusedException.Invalid("timeout_ms", $"an integer from 1 to {longestMs}", $"{timeoutMs}");
        TimeSpan timeout = timeoutMs is { } ms ? TimeSpan.FromMilliseconds(ms) : limits.TransactionTimeoutDefault;
        DateTimeOffset expiresAt = clock.GetUtcNow() + timeout;
        Guid txn = transactions.Begin(timeout);
        call.Json.Raw("{\"txn_id\":"u8).Uuid(txn)
            .Raw(",\"timeout_ms\":"u8).Number((long)timeout.TotalMilliseconds)
            .Raw(",\"expires_at\":"u8).Time(CommitTime.From(expiresAt)).Raw("}"u8);
        await call.ReplyAsync(201);
    }

    private async ValueTask StageAsync(Call call)
    {
        Guid txn = Id(call);
        using RequestBody body = await call.ReadBodyAsync();
        ImmutableArray<StagedOperation> operations = CommitJson.Staged(body.Utf8, limits.JsonDepthMax);
        transactions.Stage(txn, operations);
        call.Json.Raw("{\"txn_id\":"u8).Uuid(txn).Raw(",\"staged\":"u8).Number(operations.Length).Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask GetAsync(Call call)
    {
        KeyState state = await transactions.GetAsync(Id(call), call.Agent(), call.Key(), call.Gone);
        await KeyReply.SendAsync(call, state);
    }

    private async ValueTask CommitAsync(Call call)
    {
        Guid txn = Id(call);
        using RequestBody body = await call.ReadBodyAsync();
        CommitJson.Nothing(body.Utf8);
        ImmutableArray<TransactionCommit> commits = await transactions.CommitAsync(txn, call.Gone);
        ReceiptsReply.Write(call.Json, txn, commits);
        await call.ReplyAsync();
    }

    private async ValueTask AbortAsync(Call call)
    {
        await call.ExpectNoBodyAsync();
        transactions.Abort(Id(call));
        call.Http.Response.StatusCode = 204;
    }

    private static Guid Id(Call call)
    {
        string text = call.Text("txn", "txn");
        return Guid.TryParseExact(text, "D", out Guid txn)
            ? txn
            : throw RefusedException.Invalid("txn", "a transaction id as POST /v1/transactions returned it", Query.Shown(text));
    }
}
