using Statehouse.Agents.Hosting;
using Statehouse.Agents.Tests.Conformance;
using Statehouse.Journal;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>The agents' contract over <see cref="LocalAgents"/> on a real database, with real restarts of the store.</summary>
public abstract class StoreHostTests : AgentStateConformance
{
    private IJournalStore? _store;
    private TestHost? _host;

    protected override IAgents Agents => _host!.Agents;

    protected abstract Task<IJournalStore> OpenStoreAsync();

    protected abstract Task DropAsync();

    public override async ValueTask InitializeAsync() => await StartAsync();

    public override async ValueTask DisposeAsync()
    {
        await StopAsync();
        await DropAsync();
        GC.SuppressFinalize(this);
    }

    protected override async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        _store = await OpenStoreAsync();
        // Small tails, so that even short histories have snapshots in them.
        _host = new TestHost(_store, new LocalAgentsOptions { SnapshotTailBytesMin = 512 });
    }

    private async Task StopAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (_store is not null)
            await _store.DisposeAsync();
        (_host, _store) = (null, null);
    }
}
