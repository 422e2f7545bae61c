using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests;

/// <summary>One server for the tests of a class, which run one after the other; each takes agents of its own.</summary>
public sealed class NodeFixture : IAsyncLifetime
{
    private static int s_agents;

    internal Node Node { get; private set; } = null!;

    internal ApiClient Api => Node.Api;

    /// <summary>The path of an agent that no other test has.</summary>
    internal static string NewAgent() => $"/v1/namespaces/default/agents/agent-{Interlocked.Increment(ref s_agents)}";

    public async ValueTask InitializeAsync() => Node = await Node.StartAsync();

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}
