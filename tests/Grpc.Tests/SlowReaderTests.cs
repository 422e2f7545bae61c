namespace Statehouse.Grpc.Tests;

/// <summary>Clients that take their time.</summary>
public sealed class SlowReaderTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const int CommitCount = 60;
    private const int FillBytes = 1_000_000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Replays_that_nobody_reads_hold_the_server_back_and_not_its_memory()
    {
        for (int i = 0; i < CommitCount; i++)
            await server.PutAsync("slow", "k", FillBytes);
        var replays = new List<HttpResponseMessage>();
        byte[] request = RunningServer.Frame(new V1.ReplayRequest { AgentId = "slow" });
        for (int i = 0; i < 10; i++)
        {
            replays.Add(await server.Http.SendAsync(
                RunningServer.Request("Replay", new ByteArrayContent(request)), HttpCompletionOption.ResponseHeadersRead, Cancelled));
        }
        // Others are served meanwhile.
        await server.PutAsync("other", "k", 10);
        long held = GC.GetTotalMemory(forceFullCollection: true);

        foreach (HttpResponseMessage replay in replays)
            replay.Dispose();
        // Ten replays of 60 MB; client and server share this process.
        Assert.InRange(held, 0, 300L << 20);
    }

    [Fact]
    public async Task A_replay_that_is_read_late_arrives_whole()
    {
        for (int i = 0; i < 5; i++)
            await server.PutAsync("late", "k", FillBytes);
        byte[] request = RunningServer.Frame(new V1.ReplayRequest { AgentId = "late" });
        using HttpResponseMessage replay = await server.Http.SendAsync(
            RunningServer.Request("Replay", new ByteArrayContent(request)), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        await server.PutAsync("late", "k", 10);
        byte[] body = await replay.Content.ReadAsByteArrayAsync(Cancelled);
        Assert.InRange(body.Length, 5 * FillBytes, (5 * FillBytes) + 1000);
        Assert.Equal(Gateway.GrpcStatus.Ok, RunningServer.StatusOf(replay));
    }
}
