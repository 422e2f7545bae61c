using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Load;

/// <summary>
/// Follows one agent's commits by server-sent events, from a connection that takes little on its own: until it is read,
/// the server is held back.
/// </summary>
/// <param name="server">Whom.</param>
/// <param name="path">The stream of an agent's commits, or a feed that shows one agent only.</param>
internal sealed class EventFollower(ServerProcess server, string path) : IDisposable
{
    private const int ReceiveBufferBytes = 32 * 1024;

    private static readonly TimeSpan ReadBound = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { Timeout = Timeout.InfiniteTimeSpan };
    private HttpResponseMessage? _response;
    private string? _lastId;

    /// <summary>How often the server had ended the stream, so that it had to be opened again.</summary>
    public int Ended { get; private set; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _response?.Dispose();
        _http.Dispose();
    }

    /// <summary>Opens the stream and reads nothing of it but its headers.</summary>
    public async Task OpenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{server.Address}{path}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (_lastId is not null)
            request.Headers.Add("Last-Event-ID", _lastId);
        _response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled).WaitAsync(ReadBound, Cancelled);
        _response.EnsureSuccessStatusCode();
    }

    /// <summary>Wakes up: reads up to a version of the agent, each exactly once and in order, from the first on.</summary>
    public async Task ReadThroughAsync(long version)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        bounded.CancelAfter(ReadBound);
        long seen = 0;
        while (seen < version)
        {
            try
            {
                await foreach (long next in VersionsAsync(bounded.Token))
                {
                    Assert.Equal(++seen, next);
                    if (seen == version)
                        return;
                }
            }
            catch (Exception cut) when (cut is IOException or HttpRequestException)
            {
                // The server has let it go; it goes on where it was.
            }
            Ended++;
            _response?.Dispose();
            await OpenAsync();
        }
    }

    /// <summary>The versions in whole events, up to the end of the stream.</summary>
    private async IAsyncEnumerable<long> VersionsAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var lines = new StreamReader(await _response!.Content.ReadAsStreamAsync(cancellationToken));
        (string? id, long version) = (null, 0);
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                version = VersionOf(line[6..]);
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                Assert.Equal("event: commit", line);
            if (line.Length > 0 || id is null)
                continue;
            _lastId = id;
            yield return version;
            (id, version) = (null, 0);
        }
    }

    private static long VersionOf(string data)
    {
        using JsonDocument json = JsonDocument.Parse(data);
        return json.RootElement.GetProperty("version").GetInt64();
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = ReceiveBufferBytes };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
