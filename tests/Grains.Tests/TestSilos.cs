using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime.Placement;
using Orleans.TestingHost;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;

namespace Statehouse.Grains.Tests;

/// <summary>
/// Silos in this process over one store, each with a journal of its own as separate processes have, and a client that
/// sees them as a gateway does.
/// </summary>
internal sealed class TestSilos : IAsyncDisposable
{
    private readonly Func<Task<IJournalStore>> _openStore;
    private readonly LocalAgentsOptions _options;
    private readonly bool _maintained;
    private readonly Queue<SiloParts> _ready = new();
    private readonly Dictionary<string, SiloParts> _bySilo = [];
    private readonly List<SiloParts> _all = [];
    private readonly List<Task> _killing = [];
    private InProcessTestCluster? _cluster;
    private IJournalStore? _clientStore;

    private TestSilos(Func<Task<IJournalStore>> openStore, LocalAgentsOptions? options, bool maintained)
    {
        _maintained = maintained;
        _openStore = openStore;
        // Small tails, so that even short histories have snapshots in them.
        _options = options ?? new LocalAgentsOptions { SnapshotTailBytesMin = 512 };
    }

    public IAgents Agents { get; private set; } = null!;

    public InProcessTestCluster Cluster => _cluster!;

    public IClusterClient Client => _cluster!.Client;

    /// <param name="count">Silos to begin with.</param>
    /// <param name="openStore">Opens the shared store once more; each silo disposes of its own.</param>
    /// <param name="options">Memory and patience.</param>
    /// <param name="maintained">With the reminder that the maintenance hangs on; the store must be PostgreSQL.</param>
    public static async Task<TestSilos> StartAsync(
        int count, Func<Task<IJournalStore>> openStore, LocalAgentsOptions? options = null,
        bool maintained = false)
    {
        var silos = new TestSilos(openStore, options, maintained);
        try
        {
            await silos.DeployAsync((short)count);
            return silos;
        }
        catch
        {
            await silos.DisposeAsync();
            throw;
        }
    }

    /// <summary>The silo where an agent is active; null where it is nowhere.</summary>
    public InProcessSiloHandle? SiloOf(AgentId agent) =>
        Cluster.TryGetGrainContext(GrainOf(agent).GetGrainId(), out IGrainContext? context)
            ? Cluster.Silos.FirstOrDefault(silo => silo.SiloAddress.Equals(context.Address.SiloAddress))
            : null;

    public IAgentStateGrain GrainOf(AgentId agent) => Client.GetGrain<IAgentStateGrain>(AgentGrainKey.Of(agent));

    /// <summary>Which activation of an agent answers; null where it is active nowhere.</summary>
    public ActivationId? ActivationOf(AgentId agent) =>
        Cluster.TryGetGrainContext(GrainOf(agent).GetGrainId(), out IGrainContext? context) ? context.ActivationId : null;

    /// <summary>The store that a silo was opened with.</summary>
    public TStore StoreOf<TStore>(InProcessSiloHandle silo) where TStore : IJournalStore => (TStore)PartsOf(silo).Hosting.Store;

    public AgentHosting HostingOf(InProcessSiloHandle silo) => PartsOf(silo).Hosting;

    /// <summary>All agents as a gateway inside of that silo sees them: it coordinates there.</summary>
    public IAgents AgentsFrom(InProcessSiloHandle silo, TimeProvider? clock = null) => new ClusterAgents(
        silo.ServiceProvider.GetRequiredService<IGrainFactory>(), _clientStore!, Limits.Default, clock ?? TimeProvider.System, SilentOperatorLog.Instance);

    /// <summary>Makes an agent active on a silo, where it is active nowhere yet.</summary>
    public async Task PlaceAsync(AgentId agent, InProcessSiloHandle silo, CancellationToken cancellationToken)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo.SiloAddress);
        try
        {
            await Agents.Get(agent).GetAsync(new GetRequest(new Key("none")), cancellationToken);
        }
        finally
        {
            RequestContext.Remove(IPlacementDirector.PlacementHintKey);
        }
        if (SiloOf(agent) != silo)
            throw new InvalidOperationException($"{agent} is on {SiloOf(agent)?.Name ?? "no silo"}, not on {silo.Name}.");
    }

    public async Task<InProcessSiloHandle> AddSiloAsync()
    {
        _ready.Enqueue(await OpenPartsAsync());
        return await Cluster.StartAdditionalSiloAsync();
    }

    /// <summary>As a crash: nothing is handed over, nothing is told. What the silo queued may still reach the store.</summary>
    public async Task KillAsync(InProcessSiloHandle silo)
    {
        Task killing = Cluster.KillSiloAsync(silo);
        _killing.Add(killing);
        // What follows waits for calls that may be held in the store; the dead do not.
        while (silo.IsActive && !killing.IsCompleted)
            await Task.Delay(TimeSpan.FromMilliseconds(5));
    }

    /// <summary>As SIGTERM: activations are handed over, the journal drains.</summary>
    public async Task StopAsync(InProcessSiloHandle silo)
    {
        await Cluster.StopSiloAsync(silo);
        await PartsOf(silo).DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await Task.WhenAll(_killing);
            await _cluster.StopAllSilosAsync();
            await _cluster.DisposeAsync();
        }
        foreach (SiloParts parts in _all)
            await parts.DisposeAsync();
        if (_clientStore is not null)
            await _clientStore.DisposeAsync();
    }

    private async Task DeployAsync(short count)
    {
        for (int i = 0; i < count; i++)
            _ready.Enqueue(await OpenPartsAsync());
        _clientStore = await _openStore();
        var builder = new InProcessTestClusterBuilder(count);
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Error));
        builder.ConfigureClientHost(host => host.Logging.SetMinimumLevel(LogLevel.Error));
        builder.ConfigureSilo((options, silo) =>
        {
            SiloParts parts;
            lock (_ready)
            {
                parts = _ready.Dequeue();
                _bySilo[options.SiloName] = parts;
            }
            silo.AddStatehouseAgents(parts.Hosting);
            if (_maintained)
                silo.UseInMemoryReminderService().AddStatehouseMaintenance((ISnapshotInventory)parts.Hosting.Store);
            silo.Configure<ClusterMembershipOptions>(membership =>
            {
                // A killed silo is noticed within a second or two: these tests wait for it.
                membership.ProbeTimeout = TimeSpan.FromMilliseconds(500);
                membership.NumMissedProbesLimit = 2;
                membership.NumVotesForDeathDeclaration = 1;
            });
        });
        builder.ConfigureClient(client => client.Services.AddStatehouseSerialization());
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        Agents = new ClusterAgents(_cluster.Client, _clientStore, Limits.Default, TimeProvider.System, SilentOperatorLog.Instance);
    }

    private SiloParts PartsOf(InProcessSiloHandle silo)
    {
        lock (_ready)
            return _bySilo[silo.Name];
    }

    private async Task<SiloParts> OpenPartsAsync()
    {
        var parts = new SiloParts(await _openStore(), _options);
        _all.Add(parts);
        return parts;
    }

    /// <summary>What one silo process has beside Orleans.</summary>
    private sealed class SiloParts : IAsyncDisposable
    {
        private readonly GroupCommitJournal _journal;
        private int _disposed;

        public SiloParts(IJournalStore store, LocalAgentsOptions options)
        {
            _journal = new GroupCommitJournal(store, new GroupCommitOptions(), SilentOperatorLog.Instance);
            Hosting = new AgentHosting(_journal, options, Limits.Default, TimeProvider.System, SilentOperatorLog.Instance);
        }

        public AgentHosting Hosting { get; }

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 1)
                return;
            await Hosting.DisposeAsync();
            await _journal.DisposeAsync();
        }
    }
}
