using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Clients.MisbehavingServer;

namespace Statehouse.Faults.Tests.Clients;

/// <summary>What an HTTP client concludes from a server that misbehaves. Where in doubt, it does not know.</summary>
public sealed class HttpOutcomeTests
{
    private static readonly AgentName Agent = new("default", "planner");
    private static readonly CommitCall Commit = new([new Share(Agent, [new Write("k", "1")])]);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private const string Receipt = """{"version":1,"commit_ts":2,"time":"2026-01-31T09:05:00.000123Z","txn_id":"0194b2c4-7a00-7000-8000-000000000001","hash":"00"}""";
    private const string Txn = """{"txn_id":"0194b2c4-7a00-7000-8000-000000000001"}""";

    [Theory]
    [InlineData(409, "SH-1001", Outcome.Refused)]
    [InlineData(422, "SH-1002", Outcome.Refused)]
    [InlineData(400, "SH-1003", Outcome.Refused)]
    [InlineData(413, "SH-1004", Outcome.Refused)]
    [InlineData(404, "SH-1005", Outcome.Refused)]
    [InlineData(410, "SH-1006", Outcome.Refused)]
    [InlineData(404, "SH-1007", Outcome.Refused)]
    [InlineData(410, "SH-1008", Outcome.Refused)]
    [InlineData(503, "SH-2001", Outcome.Refused)]
    [InlineData(503, "SH-2002", Outcome.Unknown)]
    [InlineData(429, "SH-2003", Outcome.Refused)]
    [InlineData(500, "SH-9001", Outcome.Unknown)]
    public async Task A_code_says_whether_nothing_was_written(int status, string code, Outcome expected)
    {
        CallResult result = await CommitAsync(request => request.SendAsync(Reply(status, $$"""{"code":"{{code}}","detail":"…"}""")));

        Assert.Equal((expected, code), (result.Outcome, result.Code));
    }

    [Theory]
    [InlineData(500, "")]
    [InlineData(502, "<html>bad gateway</html>")]
    [InlineData(503, "{}")]
    [InlineData(400, "")]
    public async Task An_error_without_a_code_of_ours_promises_nothing(int status, string body)
    {
        CallResult result = await CommitAsync(request => request.SendAsync(Reply(status, body)));

        Assert.Equal((Outcome.Unknown, $"http-{status}"), (result.Outcome, result.Code));
    }

    [Fact]
    public async Task A_connection_that_is_refused_sent_nothing()
    {
        await using var client = new HttpStoreClient(NobodysAddress());

        CallResult result = await client.CallAsync(Commit, CancellationToken.None);

        Assert.Equal((Outcome.Refused, "refused-connection"), (result.Outcome, result.Code));
    }

    [Fact]
    public async Task A_reset_after_the_request_was_read_leaves_the_outcome_unknown_and_the_request_sent_once()
    {
        await using var server = new MisbehavingServer(request => request.ResetAsync());
        await using var client = new HttpStoreClient(server.Address);

        CallResult result = await client.CallAsync(Commit, CancellationToken.None);

        Assert.Equal((Outcome.Unknown, "reset"), (result.Outcome, result.Code));
        Assert.Equal(1, server.Requests);
    }

    [Theory]
    [InlineData("HTTP/1.1 20")]
    [InlineData("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"version\":1,")]
    public async Task Half_a_reply_leaves_the_outcome_unknown(string half)
    {
        CallResult result = await CommitAsync(async request =>
        {
            await request.SendAsync(half);
            await request.CloseAsync();
        });

        Assert.Equal((Outcome.Unknown, "reset"), (result.Outcome, result.Code));
    }

    [Fact]
    public async Task A_server_that_hangs_after_the_request_leaves_the_outcome_unknown_when_the_bound_is_over()
    {
        using var bound = new CancellationTokenSource();
        await using var server = new MisbehavingServer(async request =>
        {
            await bound.CancelAsync();
            await request.HangAsync();
        });
        await using var client = new HttpStoreClient(server.Address);

        CallResult result = await client.CallAsync(Commit, bound.Token);

        Assert.Equal((Outcome.Unknown, "timeout"), (result.Outcome, result.Code));
    }

    /// <summary>
    /// The case that the .NET handler repeats by itself for a request without a body: a pooled connection that ends without a byte of a reply.
    /// Every request that writes is tried, on a connection that has served one before.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pooled_connection_that_ends_without_a_reply_is_not_tried_again_with_a_request_that_writes(bool isReset)
    {
        Task Answer(Request request) => request.Number == 1
            ? request.SendAsync(Reply(201, Receipt))
            : isReset ? request.ResetAsync() : request.CloseAsync();
        await using var server = new MisbehavingServer(Answer);
        await using var client = new HttpStoreClient(server.Address);
        Assert.Equal(Outcome.Ok, (await client.CallAsync(Commit, CancellationToken.None)).Outcome);

        CallResult result = await client.CallAsync(Commit, CancellationToken.None);

        Assert.Equal(Outcome.Unknown, result.Outcome);
        Assert.Equal(2, server.Requests);
    }

    /// <summary>The counterpart: a read has no body, the handler does repeat it, and the server above is one that makes it do so.</summary>
    [Fact]
    public async Task A_pooled_connection_that_ends_without_a_reply_is_tried_again_with_a_read_which_changes_nothing()
    {
        await using var server = new MisbehavingServer(request => request.Number > 1
            ? request.CloseAsync()
            : request.SendAsync(request.Target.StartsWith("POST", StringComparison.Ordinal)
                ? Reply(201, Receipt)
                : Reply(200, """{"key":"k","exists":true,"value":1,"version":1,"commit_ts":2,"agent_version":1}""")));
        await using var client = new HttpStoreClient(server.Address);
        await client.CallAsync(Commit, CancellationToken.None);

        CallResult read = await client.CallAsync(new ReadCall(Agent, "k"), CancellationToken.None);

        Assert.Equal(new ReadAnswer(true, "1", 1, 1, 2), read.Answer);

        Assert.Equal(3, server.Requests);
    }

    [Fact]
    public async Task A_transaction_whose_commit_got_no_reply_is_unknown_keeps_its_shares_and_was_committed_once()
    {
        int commits = 0;
        await using var server = new MisbehavingServer(request =>
        {
            if (!request.Target.EndsWith("/commit", StringComparison.Ordinal))
                return request.SendAsync(Reply(200, Txn));
            commits++;
            return request.CloseAsync();
        });
        await using var client = new HttpStoreClient(server.Address);

        CallResult result = await client.CallAsync(new TransactionCall([], _ => Commit.Shares), CancellationToken.None);

        Assert.Equal((Outcome.Unknown, "reset"), (result.Outcome, result.Code));
        Assert.Equal(Commit.Shares, result.SentShares);
        Assert.Equal(1, commits);
    }

    [Theory]
    [InlineData("/v1/transactions")]
    [InlineData("/operations")]
    [InlineData("/state/k")]
    public async Task A_transaction_that_broke_before_its_commit_did_not_happen(string brokenStep)
    {
        CallResult result = await WithAsync(
            request => request.Target.EndsWith(brokenStep, StringComparison.Ordinal)
                ? request.ResetAsync()
                : request.SendAsync(Reply(200, request.Target.EndsWith("/state/k", StringComparison.Ordinal) ? """{"key":"k","value":1,"version":1,"agent_version":1}""" : Txn)),
            new TransactionCall([(Agent, "k")], _ => Commit.Shares));

        Assert.Equal(Outcome.Refused, result.Outcome);
        Assert.Null(result.SentShares);
    }

    [Fact]
    public async Task A_follower_of_a_connection_that_ends_in_an_event_gets_the_whole_ones_only()
    {
        await using var server = new MisbehavingServer(async request =>
        {
            await request.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n"
                + "id: 1\nevent: commit\ndata: {\"version\":1,\"commit_ts\":5,\"hash\":\"aa\"}\n\nid: 2\nevent: commit\ndata: {\"version\":2,\"commit_ts\":6,\"hash\":\"bb\"}\n");
            await request.CloseAsync();
        });
        await using var client = new HttpStoreClient(server.Address);

        FollowedCommit[] seen = await client.FollowAsync(Agent, 0, TestContext.Current.CancellationToken).ToArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal([new FollowedCommit(1, 5, "aa")], seen);
    }

    private static Task<CallResult> CommitAsync(Func<Request, Task> answer) => WithAsync(answer, Commit);

    private static async Task<CallResult> WithAsync(Func<Request, Task> answer, Call call)
    {
        await using var server = new MisbehavingServer(answer);
        await using var client = new HttpStoreClient(server.Address);
        using var bound = new CancellationTokenSource(Bound);
        return await client.CallAsync(call, bound.Token);
    }
}
