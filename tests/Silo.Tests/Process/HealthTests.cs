using Statehouse.Silo.Tests.Hosting;

namespace Statehouse.Silo.Tests.Process;

/// <summary>Readiness follows what a process can do; liveness does not ask the database.</summary>
public sealed class HealthTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    // Readiness is bounded at 2 s; the rest is for busy processors.
    private static readonly TimeSpan ProbeBound = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_database_that_goes_and_comes_back_makes_every_process_unready_and_ready_again_but_never_dead()
    {
        await using PostgresCluster server = await Databases.StartServerAsync();
        await using RunningCluster cluster = await RunningCluster.StartAsync(1, await server.CreateDatabaseAsync());
        await cluster.WriteAsync(3, "before");

        await server.StopAsync();
        foreach (ClusterProcess process in (ClusterProcess[])[cluster.Silos[0], cluster.Gateway])
        {
            await WaitForReadyzAsync(process, 503);
            (await process.Api.GetAsync("/readyz")).ExpectProblem(503, "SH-2001");
            (await process.Api.GetAsync("/healthz")).Expect(200);
        }

        await server.StartAsync();
        await WaitForReadyzAsync(cluster.Silos[0], 200);
        await WaitForReadyzAsync(cluster.Gateway, 200);
        await RunningCluster.WaitUntilAsync("an agent takes writes again", Bound, async () =>
        {
            Reply reply = await cluster.Api.PutAsync(RunningCluster.AgentPath(0) + "/state/after", "1", "Idempotency-Key: after");
            return (reply.Status == 200, reply.ToString());
        });
    }

    [Fact]
    public async Task A_gateway_without_a_silo_is_alive_and_not_ready_until_there_is_one()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(1);

        await cluster.Silos[0].KillAsync();
        await WaitForReadyzAsync(cluster.Gateway, 503);
        (await cluster.Gateway.Api.GetAsync("/healthz")).Expect(200);

        await cluster.AddSiloAsync();
        await WaitForReadyzAsync(cluster.Gateway, 200);
        (await cluster.Api.PutAsync(RunningCluster.AgentPath(0) + "/state/k", "1")).Expect(200);
    }

    private static async Task WaitForReadyzAsync(ClusterProcess process, int status) =>
        await RunningCluster.WaitUntilAsync($"/readyz of {process.Http} is {status}", Bound, async () =>
        {
            Reply reply = await process.Api.GetAsync("/readyz").WaitAsync(ProbeBound, TestContext.Current.CancellationToken);
            return (reply.Status == status, reply.ToString());
        });
}
