using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Statehouse.Silo.Tests.Hosting;

/// <summary>Unary calls of statehouse.v1 over HTTP/2 without TLS.</summary>
internal sealed class GrpcCaller(string address) : IDisposable
{
    private readonly HttpClient _http = new()
    {
        BaseAddress = new Uri("http://" + address),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    public async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : IMessage<T>
    {
        byte[] message = request.ToByteArray();
        using var content = new ByteArrayContent([0, .. BitConverter.GetBytes(IPAddress.HostToNetworkOrder(message.Length)), .. message]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using HttpResponseMessage response = await _http.PostAsync("/statehouse.v1.StatehouseService/" + method, content, TestContext.Current.CancellationToken);
        byte[] reply = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        string status = response.TrailingHeaders.Concat(response.Headers).Single(header => header.Key == "grpc-status").Value.Single();
        Assert.True(status == "0", $"{method}: {status} {response.TrailingHeaders}");
        return parser.ParseFrom(reply, 5, reply.Length - 5);
    }

    /// <summary>A transaction that writes one number under a key.</summary>
    /// <returns>The commit's commit_ts.</returns>
    public async Task<ulong> WriteAsync(string agent, string key, double value)
    {
        string txn = (await CallAsync("BeginTransaction", new V1.BeginTransactionRequest(), V1.BeginTransactionResponse.Parser)).TxnId;
        var write = new V1.WriteRequest { TxnId = txn, AgentId = agent, Key = key, Value = new() };
        write.Value.Fields["n"] = Google.Protobuf.WellKnownTypes.Value.ForNumber(value);
        await CallAsync("Write", write, V1.WriteResponse.Parser);
        return (await CallAsync("Commit", new V1.CommitRequest { TxnId = txn }, V1.CommitResponse.Parser)).CommitTs;
    }

    public void Dispose() => _http.Dispose();
}
