namespace Statehouse.LocalCluster;

/// <summary>
/// A cluster that one command changes, having its folder for itself. Every step is in <c>cluster.json</c> before the next
/// one begins: a command that is killed leaves no process behind that a later one does not know.
/// </summary>
internal sealed class LiveCluster(ClusterSession session, ClusterState state, FolderLock held) : IDisposable
{
    private readonly ReadinessProbe _readiness = new();

    public ClusterState State { get; private set; } = state;

    public void Dispose()
    {
        _readiness.Dispose();
        held.Dispose();
    }

    public void Save(ClusterState next)
    {
        session.Folder.Save(next);
        State = next;
    }

    /// <exception cref="ClusterFailure">It did not start.</exception>
    public async Task StartPostgresAsync(CancellationToken ending)
    {
        if (State.Postgres.Private is not { } server)
            return;
        session.Note($"starting PostgreSQL in {server.Folder}");
        server = await PrivatePostgres.StartAsync(server, State.Processes, ending);
        Save(State with { Postgres = State.Postgres with { Private = server } });
    }

    /// <summary>Brings the database's tables to what the silo program knows.</summary>
    /// <exception cref="ClusterFailure">It failed; says what it printed.</exception>
    public async Task MigrateAsync(CancellationToken ending)
    {
        (int exitCode, string output) = await OtherProgram.RunAsync(
            [OtherProgram.Dotnet, Program, .. ProcessArguments.ToMigrate], user: null, ProcessArguments.Environment(State), ending);
        if (exitCode != 0)
            throw new ClusterFailure($"the database cannot be migrated (exit code {exitCode}): {LoopbackHttp.Shown(output)}");
    }

    /// <summary>Starts processes side by side and waits until all are ready.</summary>
    /// <exception cref="ClusterFailure">The first that failed; the others may run.</exception>
    public async Task StartAsync(IReadOnlyList<ProcessState> processes, CancellationToken ending)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(ending);
        List<StartingProcess> starting = [];
        List<Task> waits = [];
        try
        {
            foreach (ProcessState process in processes)
                starting.Add(Start(process));
            waits.AddRange(starting.Select(each => each.WaitUntilReadyAsync(_readiness, given.Token)));
            await foreach (Task ready in Task.WhenEach(waits))
                await ready;
            Save(starting.Aggregate(State, (next, each) => next.With(each.Process with { WasReady = true })));
        }
        finally
        {
            // After the first failure the others are given up on; that they then say so too is no news.
            await given.CancelAsync();
            await Task.WhenAll(waits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            starting.ForEach(each => each.Dispose());
        }
    }

    /// <summary>Waits until agents answer through every gateway that runs.</summary>
    /// <exception cref="ClusterFailure">They do not.</exception>
    public async Task ProbeAsync(CancellationToken ending)
    {
        int silos = State.Alive.Count(process => process.Role == ClusterRole.Silo);
        using var probe = new AgentProbe(State.ClusterId, silos);
        await probe.RunAsync(State.LivingGateways, ending);
    }

    /// <summary>Ends one process: in order, or hard, as a crash would.</summary>
    /// <exception cref="ClusterFailure">It still runs.</exception>
    public async Task EndAsync(ProcessState process, bool hard)
    {
        if (hard)
        {
            await ProcessEnding.KillAsync(process.Identity!, session.Ending);
            return;
        }
        if (!await ProcessEnding.DrainAsync(process.Identity!, session.Ending))
            throw new ClusterFailure($"{process} (process {process.Identity!.Pid}) still drains after {ProcessEnding.DrainBound.TotalSeconds} s; -9 kills it.");
        Save(State.With(process with { WasStopped = true }));
    }

    /// <summary>Ends a process that was just started, if it runs; a signal does not interrupt it.</summary>
    public async Task GiveUpAsync(int number)
    {
        if (State.Find(number) is { IsAlive: true } process)
            Save(State.With(process with { WasStopped = await EndAsync(process) }));
    }

    /// <summary>
    /// Ends all that runs: gateways first, so that no caller meets a silo that has gone, then silos, then PostgreSQL. What
    /// has not ended 40 s after SIGTERM is killed. A signal does not interrupt it.
    /// </summary>
    /// <returns>How many silos and gateways ran.</returns>
    public async Task<int> EndAllAsync()
    {
        int count = 0;
        foreach (ClusterRole role in (ClusterRole[])[ClusterRole.Gateway, ClusterRole.Silo])
        {
            List<ProcessState> running = State.Alive.Where(process => process.Role == role).ToList();
            count += running.Count;
            bool[] drained = await Task.WhenAll(running.Select(EndAsync));
            Save(running.Zip(drained).Aggregate(State, (next, each) => next.With(each.First with { WasStopped = each.Second })));
        }
        if (State.Postgres.Private is { } server && await PrivatePostgres.StopAsync(server))
            session.Note("PostgreSQL is stopped");
        return count;
    }

    private string Program => session.SiloProgram ?? throw new ClusterFailure("the silo program was not built.");

    private StartingProcess Start(ProcessState process)
    {
        string folder = session.Folder.CreateFolderOf(process);
        IEnumerable<string> command = [OtherProgram.Dotnet, Program, .. ProcessArguments.Of(State, process)];
        DetachedProcess detached = DetachedProcess.Create(command, folder, ProcessArguments.Environment(State));
        process = process with { Identity = detached.Identity, WasReady = false, WasStopped = false };
        Save(State.With(process));
        detached.Begin();
        return new StartingProcess(process, detached, folder);
    }

    private async Task<bool> EndAsync(ProcessState process)
    {
        if (await ProcessEnding.DrainAsync(process.Identity!, CancellationToken.None))
            return true;
        session.Note($"{process} (process {process.Identity!.Pid}) still drained after {ProcessEnding.DrainBound.TotalSeconds} s and is killed");
        await ProcessEnding.KillAsync(process.Identity!, CancellationToken.None);
        return false;
    }
}
