namespace Statehouse.Client.Tests;

/// <summary>One server for the tests of a class; each test uses a namespace of its own.</summary>
public sealed class ClientFixture : IAsyncLifetime
{
    private ServerProcess? _server;
    private HttpClient? _http;

    public ExecutionsClient Executions(string @namespace, ExecutionsClientOptions? options = null) => _http!.Executions(@namespace, options);

    public async ValueTask InitializeAsync()
    {
        _server = await ServerProcess.StartNewAsync(TestContext.Current.CancellationToken);
        _http = new HttpClient { BaseAddress = new Uri($"http://{_server.Address}") };
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
