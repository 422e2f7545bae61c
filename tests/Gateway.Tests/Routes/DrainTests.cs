using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

/// <summary>A server that is being taken down finishes what it has begun, takes nothing more, and can be watched doing so.</summary>
public sealed class DrainTests
{
    private const string Agent = "/v1/namespaces/default/agents/a";

    [Fact]
    public async Task A_draining_server_finishes_what_is_in_flight_and_refuses_the_rest_but_can_be_watched()
    {
        await using Node node = await Node.StartAsync();
        (await node.Api.PutAsync(Agent + "/state/first", "1")).Expect(200);
        await using EventReader stream = await node.Api.FollowAsync(Agent + "/commits");
        await stream.ReadCommitAsync();
        await using RawHttp slow = await RawHttp.ConnectAsync(node.Address);
        await slow.SendAsync($"PUT {Agent}/state/slow HTTP/1.1\nHost: {node.Address.Authority}\nContent-Length: 2\nExpect: 100-continue\nConnection: close\n\n");
        await slow.WaitForContinueAsync();

        Task<bool> drain = node.Server.DrainAsync();

        (await node.Api.GetAsync("/readyz")).ExpectProblem(503, "SH-2001");
        Reply refused = (await node.Api.PutAsync(Agent + "/state/late", "1")).ExpectProblem(503, "SH-2001");
        Assert.Equal(("close", "1"), (refused.Header("Connection"), refused.Header("Retry-After")));
        (await node.Api.GetAsync("/healthz")).Expect(200);
        (await node.Api.GetAsync("/metrics")).Expect(200);
        Assert.Null(await stream.ReadAsync());
        Assert.False(drain.IsCompleted);

        await slow.SendAsync("42");
        Assert.Equal(200, (await slow.ReadReplyAsync()).Status);
        Assert.True(await drain.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_call_that_does_not_end_holds_a_drain_up_only_as_long_as_its_patience()
    {
        await using Node node = await Node.StartAsync(options: new GatewayOptions { StopPatience = TimeSpan.FromMilliseconds(200) });
        await using RawHttp slow = await RawHttp.ConnectAsync(node.Address);
        await slow.SendAsync($"PUT {Agent}/state/slow HTTP/1.1\nHost: {node.Address.Authority}\nContent-Length: 2\nExpect: 100-continue\n\n");
        await slow.WaitForContinueAsync();

        Assert.False(await node.Server.DrainAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }
}
