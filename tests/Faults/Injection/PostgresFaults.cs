using System.Globalization;
using Npgsql;
using Statehouse.Faults.Systems;
using Statehouse.Testing;

namespace Statehouse.Faults.Injection;

/// <summary>PostgreSQL dies with all its processes: kill -9, or a stop without checkpoint. Started again after a while, it recovers.</summary>
internal sealed class KillPostgres(PrivatePostgres postgres) : Fault("kill-postgres")
{
    private int _down;

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        bool isKilled = random.Next(3) > 0;
        int id = postgres.Cluster.ServerProcessId;
        await postgres.HoldDownAsync(isKilled ? cluster => cluster.KillAsync() : cluster => cluster.StopImmediatelyAsync());
        Interlocked.Increment(ref _down);
        return isKilled ? $"kill -9 of PostgreSQL and all its processes (pid {id})" : $"immediate stop of PostgreSQL (pid {id})";
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _down, 0) == 0)
            return;
        postgres.Release();
        await postgres.EnsureStartedAsync();
    }
}

/// <summary>An operator's restart: sessions are ended, a checkpoint is made, and it starts again.</summary>
internal sealed class RestartPostgres(PrivatePostgres postgres) : Fault("restart-postgres")
{
    private int _down;

    public override (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(3));

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        int id = postgres.Cluster.ServerProcessId;
        await postgres.HoldDownAsync(cluster => cluster.StopAsync());
        Interlocked.Increment(ref _down);
        return $"fast stop of PostgreSQL (pid {id})";
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _down, 0) == 0)
            return;
        postgres.Release();
        await postgres.EnsureStartedAsync();
    }
}

/// <summary>Some of the servers' sessions are ended, in whatever they are doing; a few times in a row.</summary>
internal sealed class TerminateBackends(PrivatePostgres postgres) : Fault("terminate-backends")
{
    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        double share = random.Next(3) == 0 ? 1 : 0.2 + 0.6 * random.NextDouble();
        try
        {
            long ended = await PostgresCluster.QueryAsync<long>(
                postgres.Database,
                string.Create(CultureInfo.InvariantCulture, $"""
                    select count(*) from (
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid() and random() < {share}
                        offset 0) ended
                    """));
            return $"{ended} sessions of servers terminated";
        }
        catch (NpgsqlException error)
        {
            return $"no session terminated, PostgreSQL does not answer: {error.Message}";
        }
    }

    public override Task HealAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>All connections that PostgreSQL still gives are taken and kept for a while; those of the servers are ended before.</summary>
internal sealed class ExhaustConnections(PrivatePostgres postgres) : Fault("exhaust-connections")
{
    private static readonly TimeSpan GrabEvery = TimeSpan.FromMilliseconds(20);

    private CancellationTokenSource? _ending;
    private Task<int>? _grabbing;

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        bool isTerminating = random.Next(2) == 0;
        var full = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ending = new CancellationTokenSource();
        _grabbing = GrabAsync(full, _ending.Token);
        int held = await full.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        if (isTerminating && held > 0)
            await TerminateAsync();
        return $"{held} connections held, none is left" + (isTerminating ? "; the servers' own terminated" : "");
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _ending, null) is not { } ending)
            return;
        await ending.CancelAsync();
        await _grabbing!;
        ending.Dispose();
    }

    /// <summary>Opens connections until there are no more, and takes those that become free.</summary>
    private async Task<int> GrabAsync(TaskCompletionSource<int> full, CancellationToken ending)
    {
        List<NpgsqlConnection> held = [];
        try
        {
            while (!ending.IsCancellationRequested)
            {
                try
                {
                    NpgsqlConnection connection = await PostgresCluster.ConnectAsync(postgres.Database);
                    held.Add(connection);
                    Volatile.Write(ref _first, held[0]);
                    continue;
                }
                catch (NpgsqlException)
                {
                    // No connection is left, or PostgreSQL is away: both are as good as it gets.
                    full.TrySetResult(held.Count);
                }
                await Task.Delay(GrabEvery, CancellationToken.None);
            }
            return held.Count;
        }
        finally
        {
            full.TrySetResult(held.Count);
            foreach (NpgsqlConnection connection in held)
                await connection.DisposeAsync();
        }
    }

    private NpgsqlConnection? _first;

    private async Task TerminateAsync()
    {
        try
        {
            await using var command = new NpgsqlCommand(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> ''",
                Volatile.Read(ref _first));
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException)
        {
            // PostgreSQL died meanwhile, by another fault: so did the sessions.
        }
    }
}
