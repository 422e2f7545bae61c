using System.CommandLine;
using System.Security.Cryptography;

namespace Statehouse.LocalCluster;

/// <summary><c>up</c>: a whole cluster, new or over the data of one that was stopped.</summary>
internal static class UpCommand
{
    private const int SilosDefault = 3;
    private const int SilosMax = 64;
    private const int GatewaysDefault = 1;
    private const int GatewaysMax = 16;

    private sealed record Wanted(int Silos, int Gateways, string? Postgres, IReadOnlyList<string> Limits, TimeSpan Timeout);

    public static Command Build(SessionOptions common)
    {
        Option<int> silos = SessionOptions.Number("--silos", "Silos", SilosDefault, SilosMax);
        Option<int> gateways = SessionOptions.Number("--gateways", "Gateways", GatewaysDefault, GatewaysMax);
        var postgres = new Option<string?>("--postgres") { Description = "Connection string of a PostgreSQL to use instead of one of its own", HelpName = "STRING" };
        var limits = new Option<string[]>("--limit") { Description = "Sets a limit in every process; repeat it for more", HelpName = "NAME=VALUE" };
        Option<int> timeout = StartOptions.Timeout();
        var command = new Command("up", "Starts a cluster and waits until every agent route answers") { silos, gateways, postgres, limits, timeout };
        common.SetAction(command, (session, parsed) => RunAsync(session, new Wanted(
            parsed.GetValue(silos), parsed.GetValue(gateways), parsed.GetValue(postgres),
            parsed.GetValue(limits) ?? [], TimeSpan.FromSeconds(parsed.GetValue(timeout)))));
        return command;
    }

    private static async Task RunAsync(ClusterSession session, Wanted wanted)
    {
        session.Folder.Create();
        using FolderLock held = FolderLock.Take(session.Folder);
        ClusterState? before = session.Folder.HoldsCluster ? session.Folder.Load() : null;
        if (before?.Alive.Count() is > 0 and var running)
            throw new ClusterFailure($"the cluster in {session.Folder.Root} is up already: {running} of its processes run; see ./statehouse cluster status.");
        ClusterState planned = await PlanAsync(session, before, wanted);
        using var cluster = new LiveCluster(session, planned, held);
        cluster.Save(planned);
        try
        {
            await session.WithinAsync(wanted.Timeout, ending => StartAsync(session, cluster, ending));
        }
        catch
        {
            await TearDownAsync(session, cluster);
            throw;
        }
        Introduce(session, cluster.State);
    }

    private static async Task StartAsync(ClusterSession session, LiveCluster cluster, CancellationToken ending)
    {
        await cluster.StartPostgresAsync(ending);
        await cluster.MigrateAsync(ending);
        // Gateways are clients of the silos: without any they could not start.
        foreach (ClusterRole role in (ClusterRole[])[ClusterRole.Silo, ClusterRole.Gateway])
        {
            List<ProcessState> processes = cluster.State.Processes.Where(process => process.Role == role).ToList();
            session.Note($"starting {Counted(processes.Count, role)}");
            await cluster.StartAsync(processes, ending);
        }
        session.Note("waiting until agents answer through every gateway");
        await cluster.ProbeAsync(ending);
    }

    /// <summary>Why it did not come up is what the command ends with; what cannot be ended is only noted.</summary>
    private static async Task TearDownAsync(ClusterSession session, LiveCluster cluster)
    {
        session.Note("the cluster did not come up; ending what was started");
        try
        {
            await cluster.EndAllAsync();
        }
        catch (ClusterFailure failure)
        {
            session.Note(failure.Message);
        }
    }

    private static async Task<ClusterState> PlanAsync(ClusterSession session, ClusterState? before, Wanted wanted)
    {
        var ports = new PortChooser([]);
        IEnumerable<ClusterRole> roles = Enumerable.Repeat(ClusterRole.Silo, wanted.Silos).Concat(Enumerable.Repeat(ClusterRole.Gateway, wanted.Gateways));
        return new ClusterState
        {
            Format = ClusterState.CurrentFormat,
            ClusterId = $"local-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}",
            Postgres = await PlanPostgresAsync(session, before?.Postgres, wanted.Postgres),
            Limits = wanted.Limits,
            Processes = [.. roles.Select((role, index) => Plan(role, index + 1, ports, before?.Find(index + 1)))],
        };
    }

    private static ProcessState Plan(ClusterRole role, int number, PortChooser ports, ProcessState? before) => new()
    {
        Number = number,
        Role = role,
        Ports = ports.Choose(role, dashboard: number == 1, before?.Ports),
    };

    /// <summary>The journal is in there: a folder keeps the PostgreSQL of its first time.</summary>
    private static async Task<PostgresState> PlanPostgresAsync(ClusterSession session, PostgresState? before, string? given)
    {
        if (before?.Private is { } && given is not null)
            throw new ClusterFailure($"the cluster in {session.Folder.Root} has its data in a PostgreSQL of its own: leave --postgres out, or name another folder with --data.");
        if (given is not null)
            return new PostgresState { ConnectionString = given };
        return before ?? new PostgresState { Private = await PrivatePostgres.PrepareAsync(session.Folder, session.Ending) };
    }

    private static void Introduce(ClusterSession session, ClusterState cluster)
    {
        int silos = cluster.Processes.Count(process => process.Role == ClusterRole.Silo);
        int gateways = cluster.Processes.Count - silos;
        session.Print($"cluster of {Counted(silos, ClusterRole.Silo)} and {Counted(gateways, ClusterRole.Gateway)} is up, in {session.Folder.Root}");
        foreach (ProcessState gateway in cluster.LivingGateways)
            session.Print(gateway);
        session.Print($"dashboard: {cluster.Processes[0].Dashboard}");
        session.Print($"try: curl -X PUT {cluster.LivingGateways.First().Http}/v1/namespaces/default/agents/ada/state/greeting -d '\"hello\"'");
        session.Print($"stop: ./statehouse cluster down --data '{session.Folder.Root}'");
    }

    private static string Counted(int count, ClusterRole role) =>
        $"{count} {(role == ClusterRole.Silo ? "silo" : "gateway")}{(count == 1 ? "" : "s")}";
}
