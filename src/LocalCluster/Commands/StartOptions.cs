using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary>What the commands share that start processes.</summary>
internal static class StartOptions
{
    private const int TimeoutDefault = 60;
    private const int TimeoutMax = 3600;

    public static Option<int> Timeout() =>
        SessionOptions.Number("--timeout", "Seconds until every agent route must answer", TimeoutDefault, TimeoutMax);

    /// <summary>Starts one process beside those that run, and waits until agents answer with it; else ends it again.</summary>
    /// <exception cref="ClusterFailure">It failed.</exception>
    public static async Task StartOneAsync(this LiveCluster cluster, ClusterSession session, ProcessState process, int timeoutSeconds)
    {
        try
        {
            await session.WithinAsync(TimeSpan.FromSeconds(timeoutSeconds), async ending =>
            {
                await cluster.StartAsync([process], ending);
                await cluster.ProbeAsync(ending);
            });
        }
        catch
        {
            await cluster.GiveUpAsync(process.Number);
            throw;
        }
    }

    /// <exception cref="ClusterFailure">There is none, or its PostgreSQL does not run.</exception>
    public static void RequireRunning(this LiveCluster cluster, ClusterSession session)
    {
        bool lacksPostgres = cluster.State.Postgres.Private is { } server && PrivatePostgres.Find(server) is null;
        if (!cluster.State.Alive.Any() && lacksPostgres)
            throw new ClusterFailure($"the cluster in {session.Folder.Root} does not run; ./statehouse cluster up starts it.");
        if (lacksPostgres)
            throw new ClusterFailure($"PostgreSQL of the cluster in {session.Folder.Root} does not run; ./statehouse cluster down and up start it again.");
    }

    /// <summary>For the person who started it.</summary>
    public static void Print(this ClusterSession session, ProcessState process)
    {
        if (process.Role == ClusterRole.Gateway)
            session.Print($"{process}: {process.Http}, gRPC {process.Grpc}");
        else
            session.Print($"{process}: {process.Http}/readyz");
        if (process.Dashboard is { } dashboard)
            session.Print($"dashboard: {dashboard}");
    }
}
