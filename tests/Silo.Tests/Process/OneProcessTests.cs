using System.Text.Json.Nodes;
using Statehouse.Silo.Tests.Hosting;

namespace Statehouse.Silo.Tests.Process;

/// <summary>Role all: one process is a whole cluster, and to its callers the single node.</summary>
public sealed class OneProcessTests
{
    private const string Agent = "/v1/namespaces/default/agents/ada";

    /// <summary>What no two servers answer alike.</summary>
    private static readonly string[] OfTheMoment = 
    [
        "time", "txn_id", "hash", "commit_ts", "request_id", "git_sha",
        "created_at", "started_at", "finished_at", "updated_at", "until", "lease_until", "next", "bytes", "thinned", "p50", "p90", "p99",
    ];

    [Fact]
    public async Task It_answers_every_request_as_the_single_node_does()
    {
        await using ClusterProcess cluster = await ClusterProcess.StartAsync(await Databases.NewAsync(), "all", "--migrate");
        await using ServerProcess single = await ServerProcess.StartNewAsync(TestContext.Current.CancellationToken);
        using var node = new ApiClient(new Uri("http://" + single.Address));

        foreach ((string method, string target, string? body) in Requests())
        {
            Reply expected = await SendAsync(node, method, target, body);
            Reply seen = await SendAsync(cluster.Api, method, target, body);
            Assert.Equal($"{method} {target} {expected.Status} {Plain(expected)}", $"{method} {target} {seen.Status} {Plain(seen)}");
            Assert.Equal(expected.Header("ETag"), seen.Header("ETag"));
            Assert.Equal(expected.Header("Idempotent-Replayed"), seen.Header("Idempotent-Replayed"));
        }
    }

    [Fact]
    public async Task What_is_written_over_gRPC_is_read_over_HTTP_and_the_other_way_round()
    {
        await using ClusterProcess cluster = await ClusterProcess.StartAsync(await Databases.NewAsync(), "all", "--migrate");
        using var grpc = new GrpcCaller(cluster.Printed("grpc")!);

        ulong commitTs = await grpc.WriteAsync("ada", "over-grpc", 7);
        Reply read = (await cluster.Api.GetAsync(Agent + "/state/over-grpc")).Expect(200);
        Assert.Equal(("{\"n\":7}", (long)commitTs), (read.Json.GetProperty("value").GetRawText(), read.Number("commit_ts")));

        (await cluster.Api.PutAsync(Agent + "/state/over-http", "{\"n\":8}")).Expect(200);
        V1.GetStateResponse state = await grpc.CallAsync(
            "GetState", new V1.GetStateRequest { AgentId = "ada", Key = "over-http" }, V1.GetStateResponse.Parser);
        Assert.Equal((true, 1UL, 8.0), (state.Exists, state.Version, state.Value.Fields["n"].NumberValue));
        Assert.Equal("ok", (await grpc.CallAsync("Health", new V1.HealthRequest(), V1.HealthResponse.Parser)).Status);
    }

    [Fact]
    public async Task It_leaves_the_cluster_in_order_and_a_new_one_finds_what_was_written()
    {
        string database = await Databases.NewAsync();
        await using (ClusterProcess first = await ClusterProcess.StartAsync(database, "all", "--migrate"))
        {
            (await first.Api.PutAsync(Agent + "/state/k", "1")).Expect(200);
            Assert.Equal(0, await first.TerminateAsync());
        }
        Assert.Equal(1L, await PostgresCluster.QueryAsync<long>(database, "select count(*) from statehouse_orleans.orleansmembershiptable where status = 6"));

        await using ClusterProcess second = await ClusterProcess.StartAsync(database, "all");
        Assert.Equal("1", (await second.Api.GetAsync(Agent + "/state/k")).Expect(200).Json.GetProperty("value").GetRawText());
        Assert.Equal(2, (await second.Api.PutAsync(Agent + "/state/k", "2")).Expect(200).Number("version"));
    }

    /// <summary>One of each kind, good and bad, in an order that makes sense.</summary>
    private static IEnumerable<(string Method, string Target, string? Body)> Requests() =>
    [
        ("GET", "/healthz", null),
        ("GET", "/readyz", null),
        ("GET", "/v1/version", null),
        ("GET", "/openapi/v1.json", null),
        ("GET", "/errors/SH-1001", null),
        ("GET", "/v1/nowhere", null),
        ("GET", Agent, null),
        ("PUT", Agent + "/state/task", "{\"n\":12345678901234567890.10,\"l\":[1,{}]}"),
        ("GET", Agent + "/state/task", null),
        ("GET", Agent + "/state/none", null),
        ("PUT", Agent + "/state/task", "{\"n\":1,\"n\":2}"),
        ("POST", Agent + "/commits", "{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"if_version\":0},{\"op\":\"put\",\"key\":\"b\",\"value\":2}],\"idempotency_key\":\"once\"}"),
        ("POST", Agent + "/commits", "{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"if_version\":0},{\"op\":\"put\",\"key\":\"b\",\"value\":2}],\"idempotency_key\":\"once\"}"),
        ("POST", Agent + "/commits", "{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":9}],\"idempotency_key\":\"once\"}"),
        ("POST", Agent + "/commits", "{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"if_version\":0}]}"),
        ("POST", "/v1/commits", "{\"commits\":[{\"namespace\":\"default\",\"agent\":\"ada\",\"operations\":[{\"op\":\"delete\",\"key\":\"b\"}]},{\"namespace\":\"other\",\"agent\":\"bob\",\"operations\":[{\"op\":\"put\",\"key\":\"b\",\"value\":\"moved\"}]}]}"),
        ("GET", Agent + "/state", null),
        ("GET", Agent + "/state?at_version=1", null),
        ("GET", Agent + "/state?at_version=99", null),
        ("GET", Agent + "/commits", null),
        ("GET", Agent + "/commits/2", null),
        ("GET", Agent + "/commits/77", null),
        ("GET", Agent + "?consistency=strong", null),
        ("DELETE", Agent + "/state/task", null),
        ("GET", "/v1/namespaces/default/agents", null),
        ("GET", "/v1/namespaces/other/agents?prefix=b", null),
        ("POST", "/v1/transactions/00000000-0000-0000-0000-000000000000/commit", ""),
        ("PATCH", Agent + "/state/task", null),
        .. ExecutionRequests.All,
    ];

    private static Task<Reply> SendAsync(ApiClient api, string method, string target, string? body) => method switch
    {
        "PUT" => api.PutAsync(target, body!),
        "POST" => api.PostAsync(target, body!),
        _ => api.SendAsync(method, target, null),
    };

    private static string Plain(Reply reply)
    {
        JsonNode json = JsonNode.Parse(reply.Body)!;
        Erase(json);
        return json.ToJsonString();
    }

    private static void Erase(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (JsonNode? item in list)
                Erase(item);
        }
        if (node is not JsonObject members)
            return;
        foreach (string name in members.Select(member => member.Key).ToList())
        {
            // In a schema of the API's description the same names stand for objects.
            if (OfTheMoment.Contains(name) && members[name] is JsonValue)
                members[name] = "…";
            else
                Erase(members[name]);
        }
    }
}
