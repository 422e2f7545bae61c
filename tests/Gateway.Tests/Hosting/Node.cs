using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Statehouse.Agents;
using Statehouse.Journal;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Gateway.Tests.Hosting;

/// <summary>The single-node server as Program wires it, in this process, on a free port, over a temporary data directory.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-gateway-");
    private SingleNode? _node;

    private Node()
    {
    }

    /// <summary>Speaks to it; every answer is held against the API document.</summary>
    public ApiClient Api { get; private set; } = null!;

    public GatewayServer Server => _node!.Server;

    public Uri Address => _node!.Address;

    public static async Task<Node> StartAsync(
        Limits? limits = null, GatewayOptions? options = null, TimeProvider? clock = null, ILoggerFactory? loggers = null)
    {
        var node = new Node();
        try
        {
            await node.OpenAsync(limits ?? Limits.Default, options ?? new GatewayOptions(), clock ?? TimeProvider.System, loggers ?? NullLoggerFactory.Instance);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the server as SIGTERM does, ahead of <see cref="DisposeAsync"/>.</summary>
    public async Task StopAsync()
    {
        await _node!.DisposeAsync();
        _node = null;
    }

    public async ValueTask DisposeAsync()
    {
        Api?.Dispose();
        if (_node is not null)
            await _node.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task OpenAsync(Limits limits, GatewayOptions options, TimeProvider clock, ILoggerFactory loggers)
    {
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        IJournalStore store = await SqliteJournalStore.OpenAsync(
            new SqliteJournalOptions { DataDirectory = _folder.FullName }, SilentOperatorLog.Instance, cancelled);
        options = options with { HttpAddress = new IPEndPoint(IPAddress.Loopback, 0) };
        _node = await SingleNode.StartAsync(store, limits, options, clock, loggers, cancelled);
        Api = new ApiClient(_node.Address);
    }
}
