using System.Diagnostics;
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
        // Before the act, which may fail: it is held down from here on in any case.
        Interlocked.Increment(ref _down);
        bool isHit = await postgres.HoldDownAsync(isKilled ? cluster => cluster.KillAsync() : cluster => cluster.StopImmediatelyAsync());
        if (!isHit)
            throw new InvalidOperationException("PostgreSQL does not run");
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
        // Before the act, which may fail: it is held down from here on in any case.
        Interlocked.Increment(ref _down);
        bool isHit = await postgres.HoldDownAsync(cluster => cluster.StopAsync());
        if (!isHit)
            throw new InvalidOperationException("PostgreSQL does not run");
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

/// <summary>Some of the servers' sessions are ended, in whatever they are doing.</summary>
internal sealed class TerminateBackends(PrivatePostgres postgres) : Fault("terminate-backends")
{
    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        double share = random.Next(3) == 0 ? 1 : 0.2 + 0.6 * random.NextDouble();
        try
        {
            int[] sessions = await PostgresCluster.QueryAsync<int[]>(
                postgres.Database,
                "select coalesce(array_agg(pid order by pid), '{}') from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
            if (sessions.Length == 0)
                throw new InvalidOperationException("no server has a session");
            random.Shuffle(sessions);
            int[] chosen = sessions[..(int)Math.Ceiling(share * sessions.Length)];
            await PostgresCluster.ExecuteAsync(
                postgres.Database, $"select pg_terminate_backend(pid) from unnest(array[{string.Join(',', chosen)}]::int[]) as chosen (pid)");
            return $"{chosen.Length} of {sessions.Length} sessions of servers terminated";
        }
        catch (NpgsqlException error)
        {
            throw new InvalidOperationException($"no session terminated, PostgreSQL does not answer: {error.Message}", error);
        }
    }

    public override Task HealAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>All connections that PostgreSQL still gives are taken and kept for a while; those of the servers are ended before.</summary>
internal sealed class ExhaustConnections(PrivatePostgres postgres) : Fault("exhaust-connections")
{
    private static readonly TimeSpan GrabEvery = TimeSpan.FromMilliseconds(20);

    private const int RefusalsInARow = 5;

    private static readonly TimeSpan FullBound = TimeSpan.FromSeconds(30);

    private readonly List<NpgsqlConnection> _held = [];
    private CancellationTokenSource? _ending;
    private Task? _grabbing;
    private long _refusals;

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        bool isTerminating = random.Next(2) == 0;
        _ending = new CancellationTokenSource();
        _grabbing = GrabAsync(_ending.Token);
        await WaitUntilFullAsync(cancellationToken);
        if (isTerminating && await TerminateAsync())
            await WaitUntilFullAsync(cancellationToken);
        return $"{_held.Count} connections held, none is left" + (isTerminating ? "; the servers' own terminated" : "");
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
    private async Task GrabAsync(CancellationToken ending)
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                _held.Add(await PostgresCluster.ConnectAsync(postgres.Database));
                continue;
            }
            catch (NpgsqlException)
            {
                // No connection is left, or PostgreSQL is away: both are as good as it gets.
                Interlocked.Increment(ref _refusals);
            }
            await Task.Delay(GrabEvery, CancellationToken.None);
        }
        foreach (NpgsqlConnection connection in _held)
            await connection.DisposeAsync();
        _held.Clear();
    }

    /// <summary>Until it was refused a few times in a row: others that gave up theirs, or still come, are then shut out too.</summary>
    private async Task WaitUntilFullAsync(CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        int held = -1;
        long refusals = 0;
        while (held != _held.Count || Interlocked.Read(ref _refusals) < refusals + RefusalsInARow)
        {
            if (held != _held.Count)
                (held, refusals) = (_held.Count, Interlocked.Read(ref _refusals));
            if (Stopwatch.GetElapsedTime(began) > FullBound)
                throw new TimeoutException($"PostgreSQL still gives connections after {FullBound}; {_held.Count} are held.");
            await Task.Delay(GrabEvery, cancellationToken);
        }
    }

    /// <returns>Whether it could be done.</returns>
    private async Task<bool> TerminateAsync()
    {
        if (_held.Count == 0)
            return false;
        try
        {
            await using var command = new NpgsqlCommand(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> ''", _held[0]);
            await command.ExecuteNonQueryAsync();
            return true;
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException)
        {
            // PostgreSQL died meanwhile, by another fault: so did the sessions.
            return false;
        }
    }
}
