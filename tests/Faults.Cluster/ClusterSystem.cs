using Statehouse.Faults.Clients;
using Statehouse.Faults.Evidence;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Runs;
using Statehouse.Faults.Systems;
using Statehouse.Testing;

namespace Statehouse.Faults.Cluster;

/// <summary>Three silos and two gateways on one PostgreSQL, each with links of its own to the database, and some to each other.</summary>
internal sealed class ClusterSystem : ProcessSystem
{
    private const int SiloCount = 3;
    private const int GatewayCount = 2;

    // Five processes of 26 at most, the harness's own, and little to spare.
    private const int ConnectionsMax = 150;

    private static readonly TimeSpan MigrationBound = TimeSpan.FromMinutes(2);

    private readonly List<ManagedServer> _silos = [];
    private readonly List<ManagedServer> _gateways = [];
    private GrainConnection? _grains;

    public ClusterSystem(SystemOptions options)
        : base("cluster", options)
    {
        Postgres = new PrivatePostgres(options.Folder, ConnectionsMax, options.HasSmallDisk);
        for (int number = 1; number <= SiloCount; number++)
            _silos.Add(CreateSilo(number));
        for (int number = SiloCount + 1; number <= SiloCount + GatewayCount; number++)
            _gateways.Add(CreateGateway(number));
        Faults =
        [
            new KillServer(this), new StopServer(this), new DrainServer(this),
            new KillPostgres(Postgres), new RestartPostgres(Postgres), new TerminateBackends(Postgres), new ExhaustConnections(Postgres),
            new SlowNetwork(this), new CutNetwork(this),
            new ClockJump(this), new FakeTime(this), new CrashAtPoint(this, CrashPoints.OfASilo),
            new DiskFull(() => Postgres.Disk),
        ];
        Evidence = new HttpEvidenceReader(() => SingleNodeServer.Straight(_gateways[0]), isShared: true);
    }

    public override bool IsShared => true;

    public override IReadOnlyList<string> Protocols => ["http", "grpc", "grains"];

    public override IReadOnlyList<IFault> Faults { get; }

    public override IReadOnlyList<ManagedServer> Servers => [.. _silos, .. _gateways];

    public override PrivatePostgres Postgres { get; }

    public override IEvidenceReader Evidence { get; }

    public override IStoreClient Connect(string protocol) => protocol == "grains"
        ? new GrainStoreClient(LazyInitializer.EnsureInitialized(ref _grains, () => new GrainConnection(Postgres.ForClients)))
        : SingleNodeServer.Connect(NextDoor(), protocol, IsShared);

    public override IReadOnlyList<Entrance> Entrances => [.. base.Entrances, new Entrance("the silos", "grains", () => Connect("grains"))];

    public override async ValueTask DisposeAsync()
    {
        try
        {
            if (_grains is not null)
                await _grains.DisposeAsync();
        }
        finally
        {
            await base.DisposeAsync();
        }
    }

    protected override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await Postgres.StartAsync();
        foreach (ManagedServer server in Servers)
            server.ReachDatabaseThrough(new TcpProxy(Postgres.Cluster.Port));
        await using ChildProcess migration = ChildProcess.StartDotnet(
            Repository.BuiltDll("src/Silo", "Statehouse.Silo"), ["--migrate", "--postgres", Postgres.Database], Folder.Path, Folder.PathOf("migration.log"));
        int code = await migration.WaitForExitAsync(MigrationBound, cancellationToken);
        if (code != 0)
            throw new InvalidOperationException($"The migration ended with {code}:\n{migration.Output}");
    }

    /// <summary>The first silo alone, so that those after it join it instead of starting beside each other; gateways need one.</summary>
    protected override async Task StartServersAsync(CancellationToken cancellationToken)
    {
        await _silos[0].EnsureStartedAsync(cancellationToken);
        await WaitUntilReadyAsync([_silos[0]], cancellationToken);
        await base.StartServersAsync(cancellationToken);
    }

    /// <summary>The first is the product's own program; the others are reached by the rest of the cluster through links that can be bad.</summary>
    private ManagedServer CreateSilo(int number)
    {
        string name = $"silo {number}";
        var ports = new ServerPorts(LoopbackPorts.Take(), 0, LoopbackPorts.Take(), LoopbackPorts.Take());
        bool isLinked = number > 1;
        TcpProxy? fellows = isLinked ? new TcpProxy(ports.Silo) : null;
        TcpProxy? gateways = isLinked ? new TcpProxy(ports.Gateway) : null;
        ManagedServer? silo = null;
        silo = new ManagedServer(name, Folder, ports, Command(
            name,
            isLinked && Options.HasMovableClock,
            fellows is null || gateways is null ? [] : ["--advertised-silo-port", $"{fellows.Port}", "--advertised-gateway-port", $"{gateways.Port}"],
            () => ["--role", "silo", .. Common(silo!), "--silo-port", $"127.0.0.1:{ports.Silo}", "--gateway-port", $"127.0.0.1:{ports.Gateway}"]));
        if (fellows is not null && gateways is not null)
            silo.Links.AddRange([("silos to", fellows), ("gateways to", gateways)]);
        return silo;
    }

    private ManagedServer CreateGateway(int number)
    {
        string name = $"gateway {number}";
        var ports = new ServerPorts(LoopbackPorts.Take(), LoopbackPorts.Take());
        ManagedServer? gateway = null;
        gateway = new ManagedServer(name, Folder, ports, Command(
            name, false, [], () => ["--role", "gateway", .. Common(gateway!), "--grpc", $"127.0.0.1:{ports.Grpc}"]))
        {
            Door = (new TcpProxy(ports.Http), new TcpProxy(ports.Grpc)),
        };
        gateway.Links.AddRange([("HTTP clients to", gateway.Door.Value.Http), ("gRPC clients to", gateway.Door.Value.Grpc)]);
        return gateway;
    }

    private ServerCommand Command(string name, bool hasMovableClock, IReadOnlyList<string> more, Func<IReadOnlyList<string>> flags) => new(
        Repository.BuiltDll("src/Silo", "Statehouse.Silo"), Repository.BuiltDll("tests/Faults.Cluster", "Statehouse.Faults.Cluster"), "silo", flags)
    {
        ClockFile = hasMovableClock ? SingleNodeServer.ClockFile(name, Folder) : null,
        Defect = Options.Defect,
        MoreFaults = more,
        // As ./statehouse cluster up does where processes share cores.
        Environment = new Dictionary<string, string> { ["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0" },
    };

    private string[] Common(ManagedServer server) =>
        ["--postgres", Postgres.ThroughPort(server.DatabasePort), "--http", $"127.0.0.1:{server.Ports.Http}"];
}
