using Statehouse.Faults.Clients;
using Statehouse.Faults.Evidence;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Systems;

/// <summary>Two servers on one PostgreSQL, each with links of its own to its clients and to the database.</summary>
internal sealed class PostgresSystem : ProcessSystem
{
    // Two servers of 26 at most, the harness's own, and little to spare: few are missing until none is left.
    private const int ConnectionsMax = 70;

    private readonly ManagedServer[] _servers;

    public PostgresSystem(SystemOptions options)
        : base("postgres", options)
    {
        Postgres = new PrivatePostgres(options.Folder, ConnectionsMax, options.HasSmallDisk);
        _servers = [Create(1, hasMovableClock: false), Create(2, options.HasMovableClock)];
        Faults =
        [
            new KillServer(this), new StopServer(this), new DrainServer(this),
            new KillPostgres(Postgres), new RestartPostgres(Postgres), new TerminateBackends(Postgres), new ExhaustConnections(Postgres),
            new SlowNetwork(this), new CutNetwork(this),
            new ClockJump(this), new FakeTime(this), new CrashAtPoint(this, CrashPoints.OfPostgres),
            new DiskFull(() => Postgres.Disk),
        ];
        Evidence = new HttpEvidenceReader(() => SingleNodeServer.Straight(_servers[0]), isShared: true);
    }

    public override bool IsShared => true;

    public override IReadOnlyList<string> Protocols => ["http", "grpc"];

    public override IReadOnlyList<IFault> Faults { get; }

    public override IReadOnlyList<ManagedServer> Servers => _servers;

    public override PrivatePostgres Postgres { get; }

    public override IEvidenceReader Evidence { get; }

    public override IStoreClient Connect(string protocol) => SingleNodeServer.Connect(NextDoor(), protocol, IsShared);

    protected override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await Postgres.StartAsync();
        foreach (ManagedServer server in _servers)
            server.ReachDatabaseThrough(new TcpProxy(Postgres.Cluster.Port));
    }

    private ManagedServer Create(int number, bool hasMovableClock) => SingleNodeServer.Create(
        $"server {number}", Folder, Options, hasMovableClock,
        server => ["--journal", "postgres", "--postgres", Postgres.ThroughPort(server.DatabasePort)]);
}
