using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.FrontDoors.Tests.Grpc;
using Statehouse.Gateway;
using Statehouse.Testing;
using Statehouse.V1;

namespace Statehouse.FrontDoors.Tests.Load;

/// <summary>More gRPC calls at once than the server takes transactions, over few connections.</summary>
public sealed class GrpcBackPressureTests
{
    private const int Connections = 40;
    private const int Clients = 10_000;
    private const int TransactionsMax = 6000;
    private const int Agents = 50;
    private const int ValueBytes = 4096;
    private const long HeapBytesMax = 1L << 30;
    private const long PeakBytesMax = HeapBytesMax + (512L << 20);

    private static readonly TimeSpan PushFor = TimeSpan.FromSeconds(6);

    /// <summary>A call that is not answered within this is lost.</summary>
    private static readonly TimeSpan ReplyBound = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_thousand_streams_that_push_commits_are_held_back_by_statuses_and_what_was_committed_is_there()
    {
        await using ServerProcess server = BackPressureTests.BoundedServer(HeapBytesMax, $"open_transactions_max={TransactionsMax}");
        await server.StartAsync(Cancelled);
        await server.ExpectServiceAsync();
        GrpcConnection[] connections = [.. Enumerable.Range(0, Connections).Select(_ => new GrpcConnection(server))];
        var replies = new ConcurrentDictionary<string, int>();
        Client[] clients = [.. Enumerable.Range(0, Clients).Select(i => new Client(i, server, connections[i % Connections], replies))];

        // All at once, and none commits before all were answered: the bound on open transactions is passed for certain.
        await Task.WhenAll(clients.Select(client => Task.Run(client.BeginAsync, Cancelled)));
        int begun = clients.Count(client => client.HasBegun);
        long until = Stopwatch.GetTimestamp() + (long)(PushFor.TotalSeconds * Stopwatch.Frequency);
        await Task.WhenAll(clients.Select(client => Task.Run(() => client.PushAsync(until), Cancelled)));

        foreach ((string reply, int count) in replies.OrderBy(each => each.Key, StringComparer.Ordinal))
            TestContext.Current.TestOutputHelper?.WriteLine($"{count} {reply}");
        Assert.Equal(TransactionsMax, begun);
        Assert.All(replies.Keys, reply => Assert.Matches("^[A-Za-z]+: (Ok|ResourceExhausted SH-2003)$", reply));
        Assert.InRange(replies.GetValueOrDefault("Commit: Ok"), 1000, int.MaxValue);
        await server.ExpectServiceAsync();
        await ExpectCommittedAsync(server, clients);
        foreach (GrpcConnection connection in connections)
            connection.Dispose();
        server.ExpectNoErrorLogged();
        server.ExpectPeakBelow(PeakBytesMax);
    }

    /// <summary>Each client has a key of its own: it was written as often as that client was told.</summary>
    private static async Task ExpectCommittedAsync(ServerProcess server, Client[] clients)
    {
        foreach (IGrouping<string, Client> agent in clients.GroupBy(client => client.Agent))
        {
            string list = await server.Http.GetStringAsync($"/v1/namespaces/load/agents/{agent.Key}/state?limit=1000", Cancelled);
            using JsonDocument page = JsonDocument.Parse(list);
            Dictionary<string, int> versions = page.RootElement.GetProperty("items").EnumerateArray()
                .ToDictionary(item => item.GetProperty("key").GetString()!, item => item.GetProperty("version").GetInt32());
            Assert.All(agent, client => Assert.Equal(client.Committed, versions.GetValueOrDefault(client.Key)));
        }
    }

    /// <summary>Begins, writes, commits, again and again; what is refused is tried again.</summary>
    private sealed class Client(int number, ServerProcess server, GrpcConnection connection, ConcurrentDictionary<string, int> replies)
    {
        private static readonly Struct s_value = new() { Fields = { ["fill"] = Value.ForString(new string('x', ValueBytes)) } };

        private string? _txn;

        public string Agent { get; } = string.Create(CultureInfo.InvariantCulture, $"a{number % Agents}");

        public string Key { get; } = string.Create(CultureInfo.InvariantCulture, $"k{number}");

        public int Committed { get; private set; }

        public bool HasBegun => _txn is not null;

        public async Task BeginAsync()
        {
            GrpcReply reply = await CallAsync("BeginTransaction", new BeginTransactionRequest { TimeoutMs = 300_000 });
            _txn = reply.Status == GrpcStatus.Ok ? BeginTransactionResponse.Parser.ParseFrom(reply.Message).TxnId : null;
        }

        /// <summary>Goes on until the time is up, and ends what it has begun.</summary>
        public async Task PushAsync(long until)
        {
            bool isWritten = false;
            while (HasBegun || Stopwatch.GetTimestamp() < until)
            {
                bool isDone = true;
                if (!HasBegun)
                {
                    await BeginAsync();
                    isDone = HasBegun;
                }
                else if (!isWritten)
                {
                    var write = new WriteRequest { TxnId = _txn, Namespace = "load", AgentId = Agent, Key = Key, Value = s_value };
                    isDone = isWritten = (await CallAsync("Write", write)).Status == GrpcStatus.Ok;
                }
                else if (isDone = (await CallAsync("Commit", new CommitRequest { TxnId = _txn })).Status == GrpcStatus.Ok)
                {
                    Committed++;
                    _txn = null;
                    isWritten = false;
                }
                if (!isDone)
                    await Task.Delay(200, Cancelled);
            }
        }

        private async Task<GrpcReply> CallAsync(string method, Google.Protobuf.IMessage message)
        {
            try
            {
                GrpcReply reply = await connection.CallAsync(method, message).WaitAsync(ReplyBound, Cancelled);
                replies.AddOrUpdate($"{method}: {reply}", 1, (_, count) => count + 1);
                return reply;
            }
            catch (HttpRequestException broken)
            {
                throw new InvalidOperationException($"{method} was cut off; the server {(server.Process.HasExited ? "has ended" : "lives")}:\n{server.Process.Output}", broken);
            }
        }
    }
}
