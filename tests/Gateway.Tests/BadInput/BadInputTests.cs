using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.BadInput;

/// <summary>What is wrong with a request is named by field; nothing is written; the next request is served (I9).</summary>
public sealed class BadInputTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private const string Txn = "019c1373-7c2e-7bd1-8b3f-0d6c1d1b2a3c";

    private readonly string _agent = NodeFixture.NewAgent();

    private ApiClient Api => server.Api;

    [Theory]
    [InlineData("", "value")]
    [InlineData("{", "value")]
    [InlineData("{\"a\":1,}", "value")]
    [InlineData("[1] [2]", "value")]
    [InlineData("nothing", "value")]
    [InlineData("NaN", "value")]
    [InlineData("[Infinity]", "value")]
    [InlineData("01", "value")]
    [InlineData("{\"a\":1,\"a\":2}", "value")]
    [InlineData("{\"x\":[{\"a\":1,\"\\u0061\":2}]}", "value")]
    [InlineData("\"\\ud800\"", "value")]
    [InlineData("{\"\\udc00x\":1}", "value")]
    [InlineData("// comment\n1", "value")]
    [InlineData("'a'", "value")]
    public Task A_value_that_is_no_strict_JSON_is_refused(string body, string field) =>
        RefusesAsync("PUT", _agent + "/state/k", body, 400, "SH-1003", field);

    [Theory]
    [InlineData("", "body")]
    [InlineData("[]", "body")]
    [InlineData("null", "body")]
    [InlineData("{\"operations\":[]", "body")]
    [InlineData("{}", "operations")]
    [InlineData("{\"operations\":[]}", "operations")]
    [InlineData("{\"operations\":{}}", "operations")]
    [InlineData("{\"operations\":null}", "operations")]
    [InlineData("{\"operations\":[1]}", "operations[0]")]
    [InlineData("{\"operations\":[{}]}", "operations[0].op")]
    [InlineData("{\"operations\":[{\"op\":\"PUT\"}]}", "operations[0].op")]
    [InlineData("{\"operations\":[{\"op\":1}]}", "operations[0].op")]
    [InlineData("{\"operations\":[{\"op\":\"\\ud800\"}]}", "operations[0].op")]
    [InlineData("{\"operations\":[{\"\\ud83d \":1}]}", "operations[0].\\ud83d ")]
    [InlineData("{\"\\udfff\":1}", "\\udfff")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"value\":1}]}", "operations[0].key")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\"}]}", "operations[0].value")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\",\"value\":1}]}", "operations[0].value")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":7,\"value\":1}]}", "operations[0].key")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"\",\"value\":1}]}", "operations[0].key")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\\u0000\",\"value\":1}]}", "operations[0].key")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"\\ud800\",\"value\":1}]}", "operations[0].key")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":{\"x\":1,\"x\":1}}]}", "operations[0].value")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"if_version\":-1}]}", "operations[0].if_version")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"if_version\":1.5}]}", "operations[0].if_version")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"if_version\":\"1\"}]}", "operations[0].if_version")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"if_version\":9223372036854775808}]}", "operations[0].if_version")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1,\"ttl\":1}]}", "operations[0].ttl")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"key\":\"b\",\"value\":1}]}", "operations[0].key")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}],\"if_agent_version\":-1}", "if_agent_version")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}],\"idempotency_key\":\"\"}", "idempotency_key")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}],\"idempotency_key\":1}", "idempotency_key")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}],\"metadata\":[]}", "metadata")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}],\"metadata\":{\"a\":1,\"a\":1}}", "metadata")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}],\"more\":1}", "more")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}],\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}]}", "operations")]
    [InlineData("{\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}]} x", "body")]
    public Task A_commit_of_the_wrong_shape_is_refused_by_path(string body, string field) =>
        RefusesAsync("POST", _agent + "/commits", body, 400, "SH-1003", field);

    [Theory]
    [InlineData("{}", "commits")]
    [InlineData("{\"commits\":[]}", "commits")]
    [InlineData("{\"commits\":[{\"agent\":\"a\",\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}]}]}", "commits[0].namespace")]
    [InlineData("{\"commits\":[{\"namespace\":\"n\",\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}]}]}", "commits[0].agent")]
    [InlineData("{\"commits\":[{\"namespace\":\"n\",\"agent\":\"a\"}]}", "commits[0].operations")]
    [InlineData("{\"commits\":[{\"namespace\":\"n\",\"agent\":\"a\",\"idempotency_key\":\"k\",\"operations\":[]}]}", "commits[0].idempotency_key")]
    [InlineData("{\"commits\":[{\"namespace\":\"n\",\"agent\":\"a\",\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}]},{\"namespace\":\"n\",\"agent\":\"a\",\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}]}]}", "commits[1].agent")]
    [InlineData("{\"commits\":[{\"namespace\":\"n\",\"agent\":\"\\udfff\",\"operations\":[{\"op\":\"delete\",\"key\":\"a\"}]}]}", "commits[0].agent")]
    public Task A_commit_over_several_agents_of_the_wrong_shape_is_refused_by_path(string body, string field) =>
        RefusesAsync("POST", "/v1/commits", body, 400, "SH-1003", field);

    [Theory]
    [InlineData("POST", "/v1/transactions", "{\"timeout_ms\":0}", "timeout_ms")]
    [InlineData("POST", "/v1/transactions", "{\"timeout_ms\":600001}", "timeout_ms")]
    [InlineData("POST", "/v1/transactions", "{\"timeout_ms\":-5}", "timeout_ms")]
    [InlineData("POST", "/v1/transactions", "{\"timeout_ms\":\"5\"}", "timeout_ms")]
    [InlineData("POST", "/v1/transactions", "{\"timeout\":5}", "timeout")]
    [InlineData("POST", "/v1/transactions", "[]", "body")]
    [InlineData("POST", "/v1/transactions/nonsense/commit", "", "txn")]
    [InlineData("DELETE", "/v1/transactions/nonsense", null, "txn")]
    [InlineData("POST", "/v1/transactions/" + Txn + "/commit", "{\"force\":true}", "force")]
    [InlineData("POST", "/v1/transactions/" + Txn + "/operations", "{\"operations\":[{\"op\":\"delete\",\"key\":\"a\",\"agent\":\"a\"}]}", "operations[0].namespace")]
    public Task A_transaction_request_of_the_wrong_shape_is_refused(string method, string target, string? body, string field) =>
        RefusesAsync(method, target, body, 400, "SH-1003", field);

    [Theory]
    [InlineData("/state/k?at_version=-1", "at_version")]
    [InlineData("/state/k?at_version=%2B1", "at_version")]
    [InlineData("/state/k?at_version=01", "at_version")]
    [InlineData("/state/k?at_version=1e3", "at_version")]
    [InlineData("/state/k?at_version=", "at_version")]
    [InlineData("/state/k?at_version=9223372036854775808", "at_version")]
    [InlineData("/state/k?key_version=-1", "key_version")]
    [InlineData("/state/k?at=yesterday", "at")]
    [InlineData("/state/k?at=2026-01-31", "at")]
    [InlineData("/state/k?at=2026-01-31T09:05:00", "at")]
    [InlineData("/state/k?at=2026-02-30T09:05:00Z", "at")]
    [InlineData("/state/k?at=2026-01-31T09:05:00.12345678Z", "at")]
    [InlineData("/state/k?at=2026-01-31T09:05:00.Z", "at")]
    [InlineData("/state/k?at=9999-12-31T23:59:59Z", "at")]
    [InlineData("/state/k?at=0001-01-01T00:00:00%2B14:00", "at")]
    [InlineData("/state/k?at_version=1&key_version=1", "at_version")]
    [InlineData("/state/k?at=2020-01-01T00:00:00Z&at_version=1", "at")]
    [InlineData("/state/k?at_version=0&consistency=strong", "consistency")]
    [InlineData("/state/k?consistency=eventual", "consistency")]
    [InlineData("/state/k?versions=1", "versions")]
    [InlineData("/state/k?at_version=1&at_version=1", "at_version")]
    [InlineData("/state/k?at_version=%zz", "at_version")]
    [InlineData("/state/k?%zz", "query")]
    [InlineData("/state?limit=0", "limit")]
    [InlineData("/state?limit=1001", "limit")]
    [InlineData("/state?limit=-1", "limit")]
    [InlineData("/state?limit=ten", "limit")]
    [InlineData("/state?keys_only=yes", "keys_only")]
    [InlineData("/state?key_version=1", "key_version")]
    [InlineData("/state?prefix=%00", "prefix")]
    [InlineData("/state?prefix=%ED%A0%80", "prefix")]
    [InlineData("/state?after=%FF", "after")]
    [InlineData("/state?keysonly=true", "keysonly")]
    [InlineData("/commits?from=-1", "from")]
    [InlineData("/commits?from=3&to=2", "to")]
    [InlineData("/commits?order=newest", "order")]
    [InlineData("/commits?after=1", "after")]
    [InlineData("/commits/0", "version")]
    [InlineData("/commits/-1", "version")]
    [InlineData("/commits/one", "version")]
    [InlineData("/commits/9223372036854775808", "version")]
    [InlineData("?consistency=weak", "consistency")]
    [InlineData("?x", "x")]
    public async Task A_parameter_of_a_read_that_is_not_valid_is_refused(string rest, string field)
    {
        (await Api.PutAsync(_agent + "/state/k", "1")).Expect(200);
        await RefusesAsync("GET", _agent + rest, null, 400, "SH-1003", field);
    }

    [Theory]
    [InlineData("/v1/feed?after=x", "after")]
    [InlineData("/v1/feed?after=1.", "after")]
    [InlineData("/v1/feed?after=-1", "after")]
    [InlineData("/v1/feed?after=0.1", "after")]
    [InlineData("/v1/feed?limit=0", "limit")]
    [InlineData("/v1/feed?from=1", "from")]
    [InlineData("/v1/feed?namespace=", "namespace")]
    [InlineData("/v1/feed?namespace=%ED%A0%80", "namespace")]
    [InlineData("/v1/namespaces/default/agents?limit=1001", "limit")]
    [InlineData("/v1/namespaces/default/agents?prefix=%00", "prefix")]
    [InlineData("/v1/namespaces/default/agents?order=desc", "order")]
    [InlineData("/v1/namespaces//agents", "namespace")]
    [InlineData("/healthz?verbose", "verbose")]
    public Task A_parameter_of_a_list_that_is_not_valid_is_refused(string target, string field) =>
        RefusesAsync("GET", target, null, 400, "SH-1003", field);

    [Theory]
    [InlineData("PUT", "If-Match: 7", "If-Match")]
    [InlineData("PUT", "If-Match: W/\"7\"", "If-Match")]
    [InlineData("PUT", "If-Match: \"7\", \"8\"", "If-Match")]
    [InlineData("PUT", "If-Match: \"-7\"", "If-Match")]
    [InlineData("PUT", "If-Match: \"9223372036854775808\"", "If-Match")]
    [InlineData("PUT", "If-None-Match: \"7\"", "If-None-Match")]
    [InlineData("DELETE", "If-None-Match: *", "If-None-Match")]
    [InlineData("DELETE", "If-Match: seven", "If-Match")]
    [InlineData("PUT", "Idempotency-Key: ", "idempotency_key")]
    public Task A_header_of_a_write_that_is_not_valid_is_refused(string method, string header, string field) =>
        RefusesAsync(method, _agent + "/state/k", method == "PUT" ? "1" : null, 400, "SH-1003", field, header);

    [Fact]
    public Task If_Match_and_If_None_Match_together_are_refused() =>
        RefusesAsync("PUT", _agent + "/state/k", "1", 400, "SH-1003", "If-None-Match", "If-Match: *", "If-None-Match: *");

    [Fact]
    public Task A_delete_with_a_body_is_refused() =>
        RefusesAsync("DELETE", _agent + "/state/k", "{}", 400, "SH-1003", "body");

    [Fact]
    public async Task A_body_that_is_not_UTF_8_is_refused()
    {
        using var latin1 = new ByteArrayContent([(byte)'"', 0xE9, (byte)'"']);
        int before = await Api.CountCommitsAsync();
        (await Api.SendAsync("PUT", _agent + "/state/k", latin1)).ExpectProblem(400, "SH-1003", "value");
        await AssertUntouchedAsync(before);
    }

    private async Task RefusesAsync(
        string method, string target, string? body, int status, string code, string field, params string[] headers)
    {
        int before = await Api.CountCommitsAsync();
        using StringContent? content = body is null ? null : new StringContent(body);
        (await Api.SendAsync(method, target, content, headers)).ExpectProblem(status, code, field);
        await AssertUntouchedAsync(before);
    }

    private async Task AssertUntouchedAsync(int commitsBefore)
    {
        Assert.Equal(commitsBefore, await Api.CountCommitsAsync());
        (await Api.PutAsync("/v1/namespaces/default/agents/next/state/k", "1")).Expect(200);
    }
}
