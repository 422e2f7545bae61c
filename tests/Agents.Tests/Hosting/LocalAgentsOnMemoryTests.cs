using Statehouse.Agents.Hosting;
using Statehouse.Agents.Tests.Conformance;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>The contract over <see cref="LocalAgents"/>, without a database in the way.</summary>
public sealed class LocalAgentsOnMemoryTests : AgentStateConformance
{
    private readonly MemoryStore _store = new();
    private TestHost? _host;

    protected override IAgents Agents => _host!.Agents;

    public override ValueTask InitializeAsync()
    {
        // Small tails, so that even short histories have snapshots in them.
        _host = new TestHost(_store, new LocalAgentsOptions { SnapshotTailBytesMin = 512 });
        return ValueTask.CompletedTask;
    }

    public override ValueTask DisposeAsync() => _host!.DisposeAsync();

    protected override async Task RestartAsync()
    {
        await DisposeAsync();
        await InitializeAsync();
    }
}
