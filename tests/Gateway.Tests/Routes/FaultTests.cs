using System.Net;
using Microsoft.Extensions.Logging;
using Statehouse.Agents;
using Statehouse.Executions;
using Statehouse.Agents.Transactions;
using Statehouse.Gateway.Tests.Hosting;
using Statehouse.Journal;

namespace Statehouse.Gateway.Tests.Routes;

/// <summary>What fails behind the gateway is answered by its code, with what the caller may do about it.</summary>
public sealed class FaultTests
{
    private readonly StringWriter _log = new();

    [Fact]
    public async Task A_journal_that_is_away_is_503_with_a_time_to_come_back()
    {
        Reply reply = await AskAsync(new JournalUnavailableException("The journal is away."), "/readyz");
        reply.ExpectProblem(503, "SH-2001");
        Assert.Equal("1", reply.Header("Retry-After"));
    }

    [Fact]
    public async Task An_unknown_outcome_is_503_without_one()
    {
        Reply reply = await AskAsync(new JournalOutcomeUnknownException("The reply was lost."), "/v1/feed");
        reply.ExpectProblem(503, "SH-2002");
        Assert.Null(reply.Header("Retry-After"));
    }

    [Fact]
    public async Task A_full_queue_is_429_with_a_time_to_come_back()
    {
        Reply reply = await AskAsync(new JournalBusyException("The queue is full."), "/v1/feed");
        reply.ExpectProblem(429, "SH-2003");
        Assert.Equal("1", reply.Header("Retry-After"));
    }

    [Fact]
    public async Task Trimmed_history_is_410() =>
        (await AskAsync(new HistoryTrimmedException("Trimmed."), "/v1/namespaces/default/agents/a/commits")).ExpectProblem(410, "SH-1008");

    [Fact]
    public async Task A_bug_is_500_that_tells_the_caller_its_request_id_and_the_log_the_rest()
    {
        Reply reply = await AskAsync(new InvalidCastException("the secret reason"), "/v1/feed");

        reply.ExpectProblem(500, "SH-9001");
        Assert.DoesNotContain("secret", reply.Body, StringComparison.Ordinal);
        string line = Assert.Single(_log.ToString().Split('\n'), each => each.Contains("the secret reason", StringComparison.Ordinal));
        Assert.Contains($"\"request_id\":\"{reply.Text("request_id")}\"", line, StringComparison.Ordinal);
        Assert.Contains("\"level\":\"error\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_that_hangs_is_not_waited_for_beyond_the_patience_of_readyz()
    {
        var options = new GatewayOptions { ReadyPatience = TimeSpan.FromMilliseconds(50) };
        (await AskAsync(null, "/readyz", options)).ExpectProblem(503, "SH-2001");
    }

    [Fact]
    public async Task More_requests_than_the_bound_are_told_to_come_back()
    {
        await using Node node = await Node.StartAsync(options: new GatewayOptions { RequestsInFlightMax = 0 });
        Reply reply = (await node.Api.PutAsync("/v1/namespaces/default/agents/a/state/k", "1")).ExpectProblem(429, "SH-2003");
        Assert.Equal("1", reply.Header("Retry-After"));
    }

    [Fact]
    public async Task More_streams_than_the_bound_are_told_to_come_back_and_requests_are_not()
    {
        await using Node node = await Node.StartAsync(options: new GatewayOptions { StreamsMax = 1, RequestsInFlightMax = 1 });
        await using EventReader stream = await node.Api.FollowAsync("/v1/feed");
        (await node.Api.GetAsync("/v1/feed", "Accept: text/event-stream")).ExpectProblem(429, "SH-2003");
        (await node.Api.PutAsync("/v1/namespaces/default/agents/a/state/k", "1")).Expect(200);
        Assert.Equal("1", (await stream.ReadCommitAsync()).Json.GetProperty("version").GetRawText());
    }

    private async Task<Reply> AskAsync(Exception? error, string target, GatewayOptions? options = null)
    {
        var agents = new BrokenAgents(error);
        using var loggers = new LoggerFactory([new LineLoggerProvider(_log, LogFormat.Json, TimeProvider.System)]);
        await using var transactions = new InteractiveTransactions(agents, Limits.Default, TimeProvider.System);
        options = (options ?? new GatewayOptions()) with { HttpAddress = new IPEndPoint(IPAddress.Loopback, 0) };
        var readiness = new Readiness(agents.PingAsync, options.ReadyPatience, TimeProvider.System);
        var executions = new ExecutionService(
            agents, stores: null, Limits.Default, new ExecutionOptions(), TimeProvider.System, SilentOperatorLog.Instance);
        await using GatewayServer server = GatewayServer.OfApi(agents, transactions, executions, readiness, Limits.Default, options, TimeProvider.System, loggers);
        await server.StartAsync(TestContext.Current.CancellationToken);
        using var api = new ApiClient(server.Address);
        return await api.GetAsync(target);
    }
}
