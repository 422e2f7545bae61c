using Statehouse.Silo.Tests.Hosting;

namespace Statehouse.Silo.Tests.Process;

/// <summary>Executions of a cluster whose processes go.</summary>
public sealed class ExecutionsOnAClusterTests
{
    private const string E = "/v1/namespaces/default/executions";
    private const int Runs = 20;

    [Fact]
    public async Task Checkpoints_that_were_acknowledged_outlive_a_killed_silo_and_its_executions_go_on()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(2);
        for (int i = 0; i < Runs; i++)
        {
            (await cluster.Api.PostAsync(E, $$"""{"execution_id":"run-{{i}}","workflow":"w"}""")).Expect(201);
            (await cluster.Api.PutAsync($"{E}/run-{i}/checkpoints/1", $"{i}")).Expect(201);
        }
        await cluster.Silos[1].KillAsync();
        for (int i = 0; i < Runs; i++)
        {
            string run = $"{E}/run-{i}";
            await RunningCluster.WaitUntilAsync($"{run} goes on", TimeSpan.FromSeconds(30), async () =>
            {
                // 200: an attempt whose outcome was not known had been written.
                Reply reply = await cluster.Api.PutAsync($"{run}/checkpoints/2", $"{i + 100}");
                return (reply.Status is 200 or 201, reply.ToString());
            });
            Assert.Equal([$"{i}", $"{i + 100}"], (await cluster.Api.GetAsync($"{run}/checkpoints?state=true")).Expect(200).Each("state"));
        }
        Assert.Equal(Runs, (await cluster.Api.GetAsync($"{E}/metrics")).Expect(200).Number("active"));
    }

    [Fact]
    public async Task A_gateway_that_is_told_to_stop_writes_what_it_has_buffered()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(1);
        await using ClusterProcess gateway = await ClusterProcess.StartAsync(
            cluster.Database, "gateway", "--executions-batch-size", "10000", "--executions-flush-interval-ms", "60000");
        (await gateway.Api.PostAsync(E, """{"execution_id":"run","workflow":"w"}""")).Expect(201);
        for (int step = 1; step <= 5; step++)
            (await gateway.Api.PutAsync($"{E}/run/checkpoints/{step}?buffered=true", $"{step}")).Expect(202);
        Assert.Empty((await cluster.Api.GetAsync($"{E}/run/checkpoints")).Expect(200).Items);
        Assert.Equal(0, await gateway.TerminateAsync());
        Assert.Equal(["1", "2", "3", "4", "5"], (await cluster.Api.GetAsync($"{E}/run/checkpoints")).Expect(200).Each("step"));
    }
}
