using Statehouse.Faults.Clients;
using Statehouse.Faults.Evidence;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Systems;

/// <summary>One server with an SQLite journal.</summary>
internal sealed class SqliteSystem : ProcessSystem
{
    private readonly ManagedServer _server;
    private readonly string _dataFolder;
    private SmallDisk? _disk;

    public SqliteSystem(SystemOptions options)
        : base("sqlite", options)
    {
        _dataFolder = Folder.PathOf("data");
        _server = SingleNodeServer.Create(
            "server 1", Folder, options, options.HasMovableClock, _ => ["--data", _dataFolder]);
        Faults =
        [
            new KillServer(this), new StopServer(this), new DrainServer(this),
            new SlowNetwork(this), new CutNetwork(this),
            new ClockJump(this), new FakeTime(this), new CrashAtPoint(this, CrashPoints.OfSqlite),
            new DiskFull(() => _disk),
        ];
        Evidence = new HttpEvidenceReader(() => SingleNodeServer.Straight(_server));
    }

    public override bool IsShared => false;

    public override IReadOnlyList<string> Protocols => ["http", "grpc"];

    public override IReadOnlyList<IFault> Faults { get; }

    public override IReadOnlyList<ManagedServer> Servers => [_server];

    public override IEvidenceReader Evidence { get; }

    public override IStoreClient Connect(string protocol) => SingleNodeServer.Connect(NextDoor(), protocol, IsShared);

    protected override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (!Options.HasSmallDisk || SmallDisk.Unavailable is not null)
            return;
        Folder.NoteMount(_dataFolder);
        _disk = await SmallDisk.MountAsync(_dataFolder);
    }
}
