using System.Diagnostics;
using System.Text;
using Statehouse.Faults.Clients;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Systems;

/// <summary>What all systems of real processes share: servers that are started anew when they end, doors by turns, healing.</summary>
internal abstract class ProcessSystem : ISystemUnderTest
{
    // It could not start or go on, and said why. More is a signal, an unhandled exception, or flags that only the harness can have got wrong.
    private const int FailureExitCode = 1;

    private static readonly TimeSpan ReadyBound = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _ending = new();
    private readonly SortedSet<string> _keeperFailures = new(StringComparer.Ordinal);
    private Task _keeping = Task.CompletedTask;
    private int _turns;

    protected ProcessSystem(string name, SystemOptions options)
    {
        (Name, Options) = (name, options);
        Folder = new RunFolder(options.Folder);
    }

    public string Name { get; }

    public abstract bool IsShared { get; }

    public abstract IReadOnlyList<string> Protocols { get; }

    public abstract IReadOnlyList<IFault> Faults { get; }

    /// <summary>All servers, whether they serve clients or not.</summary>
    public abstract IReadOnlyList<ManagedServer> Servers { get; }

    /// <summary>The database that servers share; null = there is none.</summary>
    public virtual PrivatePostgres? Postgres => null;

    public abstract IEvidenceReader Evidence { get; }

    public string Output
    {
        get
        {
            var all = new StringBuilder();
            foreach (ManagedServer server in Servers)
                all.AppendLine($"--- {server.Name} ({server.OutputFile}), the last lines:").AppendLine(LastLines(server.Output));
            return all.ToString();
        }
    }

    public IReadOnlyList<string> Lives =>
    [
        .. Servers.Select(server => $"{server.Name}: {server.Starts} starts" + string.Concat(
            server.Ends.Where(end => end.Kind == EndKind.CrashPoint).GroupBy(end => end.Kind).Select(ends => $", died at its crash point {ends.Count()} times"))
            + string.Concat(
            server.Ends.Where(end => end.Kind == EndKind.ByItself).GroupBy(end => end.ExitCode).Select(ends => $", ended by itself with {ends.Key} {ends.Count()} times"))),
        .. Postgres is null ? (string[])[] : [$"PostgreSQL: {Postgres.Starts} starts"],
    ];

    public IReadOnlyList<string> Breakdowns =>
        [.. KeeperFailures, ..
            from server in Servers
            from end in server.Ends
            where end.Kind == EndKind.ByItself && end.ExitCode > FailureExitCode
            select $"{end.Server} ended by itself with exit code {end.ExitCode}. The last that it printed:\n{LastLines(end.Output)}"];

    public IReadOnlyList<StuckDrain> StuckDrains => [.. Servers.SelectMany(server => server.StuckDrains)];

    private string[] KeeperFailures
    {
        get
        {
            lock (_keeperFailures)
                return [.. _keeperFailures];
        }
    }

    protected SystemOptions Options { get; }

    protected RunFolder Folder { get; }

    /// <summary>Servers that clients talk to.</summary>
    protected IReadOnlyList<ManagedServer> Doors => [.. Servers.Where(server => server.Door is not null)];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken);
        await StartServersAsync(cancellationToken);
        _keeping = KeepAsync(_ending.Token);
    }

    public abstract IStoreClient Connect(string protocol);

    public virtual IReadOnlyList<Entrance> Entrances =>
        [.. from server in Doors
            from protocol in SingleNodeServer.Protocols
            select new Entrance(server.Name, protocol, () => SingleNodeServer.Connect(server, protocol, IsShared))];

    public async Task HealAsync(CancellationToken cancellationToken)
    {
        foreach (IFault fault in Faults)
            await fault.HealAsync(cancellationToken);
        foreach ((_, TcpProxy proxy) in Servers.SelectMany(server => server.Links))
            proxy.Heal();
        if (Postgres is not null)
            await Postgres.WaitUntilReadyAsync(ReadyBound, cancellationToken);
        await WaitUntilReadyAsync(Servers, cancellationToken);
    }

    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(Servers.Select(server => server.DrainAsync(cancellationToken)));
        if (Postgres is not null)
            await Postgres.WaitUntilAloneAsync();
        foreach (ManagedServer server in Servers)
            server.Release();
        await StartServersAsync(cancellationToken);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        try
        {
            await _keeping;
        }
        finally
        {
            await EndProcessesAsync();
        }
    }

    /// <summary>Whatever cannot be ended, the rest is.</summary>
    private async Task EndProcessesAsync()
    {
        try
        {
            await Task.WhenAll(Servers.Select(server => server.DisposeAsync().AsTask()));
        }
        finally
        {
            try
            {
                if (Postgres is not null)
                    await Postgres.DisposeAsync();
            }
            finally
            {
                Folder.Dispose();
                _ending.Dispose();
            }
        }
    }

    /// <summary>What must be there before a server starts.</summary>
    protected abstract Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Starts every server and waits until all are ready.</summary>
    protected virtual async Task StartServersAsync(CancellationToken cancellationToken)
    {
        foreach (ManagedServer server in Servers)
            await server.EnsureStartedAsync(cancellationToken);
        await WaitUntilReadyAsync(Servers, cancellationToken);
    }

    /// <summary>The server that the next client talks to.</summary>
    protected ManagedServer NextDoor()
    {
        IReadOnlyList<ManagedServer> doors = Doors;
        return doors[(int)((uint)Interlocked.Increment(ref _turns) % (uint)doors.Count)];
    }

    /// <exception cref="TimeoutException">One was not ready within three minutes: says which, and what it printed.</exception>
    protected static async Task WaitUntilReadyAsync(IEnumerable<ManagedServer> servers, CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        foreach (ManagedServer server in servers)
        {
            while (!await server.IsReadyAsync(cancellationToken))
            {
                await server.EnsureStartedAsync(cancellationToken);
                if (Stopwatch.GetElapsedTime(began) > ReadyBound)
                    throw new TimeoutException($"{server.Name} was not ready within {ReadyBound}. The last that it printed:\n{LastLines(server.Output)}");
                await Task.Delay(LookEvery, cancellationToken);
            }
        }
    }

    /// <summary>As a service manager: what has ended is started again.</summary>
    private async Task KeepAsync(CancellationToken ending)
    {
        using var timer = new PeriodicTimer(LookEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(ending))
                await KeepOnceAsync(ending);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private async Task KeepOnceAsync(CancellationToken ending)
    {
        try
        {
            if (Postgres is not null)
                await Postgres.EnsureStartedAsync();
            foreach (ManagedServer server in Servers)
                await server.EnsureStartedAsync(ending);
        }
        catch (Exception error) when (!ending.IsCancellationRequested)
        {
            // It goes on, so that the rest is kept, and the run has failed: what was not started shows nothing.
            lock (_keeperFailures)
                _keeperFailures.Add($"What had ended could not be started again: {error.GetType().Name}: {error.Message}");
        }
    }

    private static string LastLines(string output) => string.Join('\n', output.Split('\n').TakeLast(30));
}
