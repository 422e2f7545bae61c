using System.Diagnostics;

namespace Statehouse.Silo.Tests.Hosting;

/// <summary>Silos and a gateway on a database of their own.</summary>
internal sealed class RunningCluster : IAsyncDisposable
{
    private static readonly TimeSpan PollDelay = TimeSpan.FromMilliseconds(100);

    private RunningCluster(string database) => Database = database;

    /// <summary>Connection string.</summary>
    public string Database { get; }

    public List<ClusterProcess> Silos { get; } = [];

    public ClusterProcess Gateway { get; private set; } = null!;

    public ApiClient Api => Gateway.Api;

    public static async Task<RunningCluster> StartAsync(int silos, string? database = null)
    {
        var cluster = new RunningCluster(database ?? await Databases.NewAsync());
        try
        {
            await ClusterProcess.MigrateAsync(cluster.Database);
            for (int i = 0; i < silos; i++)
                await cluster.AddSiloAsync();
            cluster.Gateway = await ClusterProcess.StartAsync(cluster.Database, "gateway");
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task<ClusterProcess> AddSiloAsync()
    {
        // The first one has the dashboard, as anywhere else.
        ClusterProcess silo = await ClusterProcess.StartAsync(Database, "silo", Silos.Count == 0 ? ["--dashboard", "127.0.0.1:0"] : []);
        Silos.Add(silo);
        return silo;
    }

    public static string AgentPath(int number) => $"/v1/namespaces/default/agents/agent-{number}";

    /// <summary>One more write to each of the agents, through the gateway.</summary>
    public async Task WriteAsync(int agents, string key)
    {
        for (int i = 0; i < agents; i++)
            (await Api.PutAsync($"{AgentPath(i)}/state/{key}", $"{i}")).Expect(200);
    }

    /// <summary>Rows of the membership table with this status, as Orleans numbers it: 3 active, 6 dead.</summary>
    public Task<long> CountMembersAsync(int status) => PostgresCluster.QueryAsync<long>(
        Database, $"select count(*) from statehouse_orleans.orleansmembershiptable where status = {status}");

    /// <summary>Asks until an answer is as wanted.</summary>
    /// <exception cref="TimeoutException">It was not within the bound: says what was waited for and what came last.</exception>
    public static async Task<TimeSpan> WaitUntilAsync(string what, TimeSpan bound, Func<Task<(bool Yes, string Seen)>> ask)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            (bool yes, string seen) = await ask();
            TimeSpan elapsed = Stopwatch.GetElapsedTime(began);
            if (yes)
                return elapsed;
            if (elapsed > bound)
                throw new TimeoutException($"Waited {elapsed.TotalSeconds:0.0} s in vain until {what}; last: {seen}");
            await Task.Delay(PollDelay, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ClusterProcess silo in Silos)
            await silo.DisposeAsync();
        if (Gateway is not null)
            await Gateway.DisposeAsync();
    }
}
