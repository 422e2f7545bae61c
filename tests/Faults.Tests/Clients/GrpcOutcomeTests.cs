using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Tests.Clients;

/// <summary>What a gRPC client concludes from a server whose Commit misbehaves; Begin and Write answer well.</summary>
public sealed class GrpcOutcomeTests
{
    private static readonly AgentName Agent = new("default", "planner");
    private static readonly CommitCall Commit = new([new Share(Agent, [new Write("k", """{"n":1}""")])]);

    [Theory]
    [InlineData("10", "SH-1001", Outcome.Refused)]
    [InlineData("5", "SH-1005", Outcome.Refused)]
    [InlineData("4", "SH-1006", Outcome.Refused)]
    [InlineData("14", "SH-2001", Outcome.Refused)]
    [InlineData("2", "SH-2002", Outcome.Unknown)]
    [InlineData("8", "SH-2003", Outcome.Refused)]
    [InlineData("13", "SH-9001", Outcome.Unknown)]
    public async Task A_code_says_whether_nothing_was_written(string status, string code, Outcome expected)
    {
        CallResult result = await CommitAsync(http => End(http, status, code));

        Assert.Equal((expected, code), (result.Outcome, result.Code));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("4")]
    [InlineData("13")]
    [InlineData("14")]
    public async Task A_status_without_a_code_of_ours_promises_nothing(string status)
    {
        CallResult result = await CommitAsync(http => End(http, status, null));

        Assert.Equal((Outcome.Unknown, "grpc-" + status), (result.Outcome, result.Code));
    }

    [Fact]
    public async Task A_stream_that_is_reset_leaves_the_outcome_unknown_and_the_commit_sent_once()
    {
        int commits = 0;
        CallResult result = await CommitAsync(http =>
        {
            Interlocked.Increment(ref commits);
            http.Abort();
            return Task.CompletedTask;
        });

        Assert.Equal((Outcome.Unknown, "reset"), (result.Outcome, result.Code));
        Assert.Equal(1, commits);
    }

    [Fact]
    public async Task A_commit_that_hangs_is_unknown_when_the_bound_is_over()
    {
        using var bound = new CancellationTokenSource();
        CallResult result = await CommitAsync(async http =>
        {
            await bound.CancelAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }, bound);

        Assert.Equal((Outcome.Unknown, "timeout"), (result.Outcome, result.Code));
    }

    [Fact]
    public async Task A_status_that_is_ok_without_a_message_is_unknown()
    {
        CallResult result = await CommitAsync(http => End(http, "0", null));

        Assert.Equal((Outcome.Unknown, "broken-reply"), (result.Outcome, result.Code));
    }

    [Fact]
    public async Task A_write_that_was_reset_means_that_nothing_was_committed()
    {
        CallResult result = await RunAsync("Write", http =>
        {
            http.Abort();
            return Task.CompletedTask;
        });

        Assert.Equal(Outcome.Refused, result.Outcome);
    }

    [Fact]
    public async Task A_connection_that_is_refused_sent_nothing()
    {
        await using var client = new GrpcStoreClient(MisbehavingServer.NobodysAddress());

        CallResult result = await client.CallAsync(Commit, CancellationToken.None);

        Assert.Equal((Outcome.Refused, "refused-connection"), (result.Outcome, result.Code));
    }

    private static Task<CallResult> CommitAsync(Func<HttpContext, Task> answer, CancellationTokenSource? bound = null) => RunAsync("Commit", answer, bound);

    private static async Task<CallResult> RunAsync(string method, Func<HttpContext, Task> answer, CancellationTokenSource? bound = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using WebApplication server = builder.Build();
        server.Run(http => http.Request.Path.Value!.EndsWith("/" + method, StringComparison.Ordinal) ? answer(http) : AnswerWellAsync(http));
        await server.StartAsync(TestContext.Current.CancellationToken);
        await using var client = new GrpcStoreClient(new Uri(server.Urls.Single()).Authority);
        return await client.CallAsync(Commit, bound?.Token ?? TestContext.Current.CancellationToken);
    }

    private static async Task AnswerWellAsync(HttpContext http)
    {
        byte[] message = http.Request.Path.Value!.EndsWith("/BeginTransaction", StringComparison.Ordinal)
            ? new V1.BeginTransactionResponse { TxnId = "t" }.ToByteArray()
            : [];
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync((byte[])[0, 0, 0, 0, (byte)message.Length, .. message]);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    private static Task End(HttpContext http, string status, string? code)
    {
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = status;
        if (code is not null)
        {
            var error = new V1.StatehouseError { Details = { ["sh_code"] = code } };
            http.Response.Headers["statehouse-error-bin"] = Convert.ToBase64String(error.ToByteArray()).TrimEnd('=');
        }
        return Task.CompletedTask;
    }
}
