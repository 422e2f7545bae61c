using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Statehouse.Agents;
using Statehouse.Gateway;
using Statehouse.Journal;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Grpc.Tests;

/// <summary>The server in this process on a free port, over a journal in a temporary folder, and raw calls to it.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    public const string Service = "/statehouse.v1.StatehouseService/";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-grpc-");
    private SingleNode _node = null!;

    /// <summary>How long a client may take for a piece of a large reply.</summary>
    public TimeSpan PiecePatience { get; init; } = new GatewayOptions().GrpcPiecePatience;

    public HttpClient Http { get; private set; } = null!;

    public IPEndPoint Address => new(IPAddress.Loopback, _node.GrpcAddress!.Port);

    public async ValueTask InitializeAsync()
    {
        IJournalStore store = await SqliteJournalStore.OpenAsync(
            new SqliteJournalOptions { DataDirectory = _folder.FullName }, new SilentLog(), CancellationToken.None);
        var options = new GatewayOptions
        {
            HttpAddress = new IPEndPoint(IPAddress.Loopback, 0),
            GrpcAddress = new IPEndPoint(IPAddress.Loopback, 0),
            StopPatience = TimeSpan.FromSeconds(5),
            GrpcPiecePatience = PiecePatience,
        };
        _node = await SingleNode.StartAsync(store, Limits.Default, options, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        Http = new HttpClient
        {
            BaseAddress = _node.GrpcAddress,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _node.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    public static byte[] Frame(IMessage message) => Frame(message.ToByteArray());

    public static byte[] Frame(byte[] message, byte flag = 0) =>
        [flag, (byte)(message.Length >> 24), (byte)(message.Length >> 16), (byte)(message.Length >> 8), (byte)message.Length, .. message];

    public static HttpRequestMessage Request(string method, HttpContent content, string? timeout = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Service + method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        if (timeout is not null)
            request.Headers.Add("grpc-timeout", timeout);
        return request;
    }

    /// <summary>Sends a body as it is; returns the status and message that the call ended with, and the reply's bytes.</summary>
    internal async Task<(GrpcStatus Status, string Message, byte[] Body)> CallAsync(string method, byte[] body, string? timeout = null)
    {
        using HttpResponseMessage response = await Http.SendAsync(Request(method, new ByteArrayContent(body), timeout), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        byte[] reply = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return (StatusOf(response), Header(response, "grpc-message") ?? "", reply);
    }

    internal async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : IMessage<T>
    {
        (GrpcStatus status, string message, byte[] body) = await CallAsync(method, Frame(request));
        Assert.True(status == GrpcStatus.Ok, $"{method}: {status} {message}");
        return parser.ParseFrom(body, 5, body.Length - 5);
    }

    public async Task PutAsync(string agent, string key, int fillBytes)
    {
        string txn = (await CallAsync("BeginTransaction", new V1.BeginTransactionRequest(), V1.BeginTransactionResponse.Parser)).TxnId;
        var write = new V1.WriteRequest { TxnId = txn, AgentId = agent, Key = key, Value = new() };
        write.Value.Fields["fill"] = Google.Protobuf.WellKnownTypes.Value.ForString(new string('x', fillBytes));
        await CallAsync("Write", write, V1.WriteResponse.Parser);
        await CallAsync("Commit", new V1.CommitRequest { TxnId = txn }, V1.CommitResponse.Parser);
    }

    internal static GrpcStatus StatusOf(HttpResponseMessage response) =>
        (GrpcStatus)int.Parse(Header(response, "grpc-status")!, System.Globalization.CultureInfo.InvariantCulture);

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) || response.TrailingHeaders.TryGetValues(name, out values)
            ? values.Single()
            : null;

    private sealed class SilentLog : IOperatorLog
    {
        public void Write(OperatorLogLevel level, string message, Exception? error = null)
        {
            // What a test needs to know, it asks the server for.
        }
    }
}
