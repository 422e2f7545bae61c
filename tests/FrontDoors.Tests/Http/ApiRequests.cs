using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Statehouse.FrontDoors.Tests.Http;

/// <summary>
/// Valid requests of every operation that the server's OpenAPI document describes. Parameters are drawn as the document says they
/// are; bodies stand here, one for each operation that takes one.
/// </summary>
internal sealed partial class ApiRequests
{
    private static readonly string[] Methods = ["get", "put", "post", "delete"];

    private static readonly string[] Values =
        ["1", "null", "\"text\"", "{\"a\":[1,2,{\"b\":\"ü\"}]}", "[]", "123456789012345678901234567890", "1.50e-7", "\"\\ud83d\\ude00\\u0000\""];

    private static readonly Dictionary<string, string> Bodies = new()
    {
        ["putKey"] = "{value}",
        ["commit"] = """{"operations":[{"op":"put","key":"k1","value":{value}},{"op":"delete","key":"k2"}],"metadata":{"by":"fuzz"},"idempotency_key":"i{n}"}""",
        ["commitTogether"] =
            """{"commits":[{"namespace":"fuzz","agent":"a1","operations":[{"op":"put","key":"k1","value":{value}}]},{"namespace":"fuzz","agent":"a2","operations":[{"op":"delete","key":"k1","if_version":null}]}],"idempotency_key":"t{n}"}""",
        ["begin"] = """{"timeout_ms":{n}000}""",
        ["stage"] = """{"operations":[{"namespace":"fuzz","agent":"a3","op":"put","key":"k","value":{value},"if_version":null},{"namespace":"fuzz","agent":"a1","op":"delete","key":"k"}]}""",
        ["commitTransaction"] = "{}",
        ["createExecution"] =
            """{"execution_id":"r{n}","workflow":"w","labels":{"team":"blue"},"state":{value},"settings":{"checkpoint_interval":1,"checkpoint_retention":5,"recovery_timeout_ms":60000},"max_attempts":3,"claim":{"worker":"w1"}}""",
        ["claimExecutions"] = """{"worker":"w{n}","limit":2,"workflow":"w","labels":{"team":"blue"},"lease_ms":1000}""",
        ["commitCheckpoints"] =
            """{"checkpoints":[{"execution_id":"r1","step":{n},"state":{value},"token":1},{"execution_id":"r2","step":{n},"state":{value}}],"idempotency_key":"c{n}"}""",
        ["cleanUpExecutions"] = """{"older_than":"2001-01-01T00:00:00Z","status":["completed","failed"],"dry_run":true,"limit":5}""",
        ["heartbeat"] = """{"token":1}""",
        ["completeExecution"] = """{"result":{value},"token":1}""",
        ["failExecution"] = """{"error":{"type":"t","message":"m"},"token":1}""",
        ["cancelExecution"] = """{"reason":"r"}""",
        ["pauseExecution"] = """{"reason":"r","token":1}""",
        ["resumeExecution"] = """{"token":1}""",
        ["putCheckpoint"] = "{value}",
        ["nameSnapshot"] = """{"token":1}""",
        ["restoreExecution"] = """{"step":1,"token":1}""",
    };

    private static readonly Dictionary<string, string[]> Parameters = new()
    {
        ["ns"] = ["fuzz", "fuzz", "other", "%F0%9F%98%80"],
        ["agent"] = ["a1", "a2", "a%2Fb", "..", "%C3%BC"],
        ["key"] = ["k1", "k2", "step%3A1", "%2e%2e", "a%20b"],
        ["version"] = ["1", "2", "999"],
        ["code"] = ["SH-1001", "SH-9999"],
        ["execution"] = ["r1", "r2", "r3", "none"],
        ["name"] = ["s1", "s2"],
        ["step"] = ["1", "2", "30"],
        ["limit"] = ["1", "100"],
        ["prefix"] = ["k", ""],
        ["after"] = ["0", "k1", "a1"],
        ["at"] = ["2030-01-01T00:00:00Z", "2001-01-01T00:00:00.123456%2B01:00"],
        ["started_from"] = ["2001-01-01T00:00:00Z"],
        ["started_to"] = ["2031-01-01T00:00:00Z"],
        ["updated_from"] = ["2001-01-01T00:00:00Z"],
        ["updated_to"] = ["2031-01-01T00:00:00Z"],
        ["label"] = ["team%3Dblue"],
        ["workflow"] = ["w"],
        ["namespace"] = ["fuzz"],
        ["If-Match"] = ["\"1\""],
        ["If-None-Match"] = ["*", "\"3\""],
        ["Idempotency-Key"] = ["i1", "i2"],
        ["Last-Event-ID"] = ["1", "0"],
        ["X-Request-Id"] = ["fuzz"],
        ["Statehouse-Token"] = ["1"],
    };

    private readonly JsonElement _document;
    private readonly List<(string Method, string Template, JsonElement Operation)> _operations;

    /// <param name="openApi">As the server serves it.</param>
    public ApiRequests(string openApi)
    {
        _document = JsonDocument.Parse(openApi).RootElement;
        _operations =
        [
            .. from path in _document.GetProperty("paths").EnumerateObject()
               from member in path.Value.EnumerateObject()
               where Methods.Contains(member.Name)
               select (member.Name.ToUpperInvariant(), path.Name, member.Value),
        ];
    }

    public int Count => _operations.Count;

    /// <summary>Operations that take a body of which there is no example here.</summary>
    public IEnumerable<string> WithoutBody =>
        from each in _operations
        let id = each.Operation.GetProperty("operationId").GetString()!
        where each.Operation.TryGetProperty("requestBody", out _) && !Bodies.ContainsKey(id)
        select id;

    /// <param name="random">Of the case.</param>
    /// <param name="operation">Which, from 0.</param>
    /// <param name="txn">An open transaction.</param>
    public ApiRequest Make(Random random, int operation, string txn)
    {
        (string method, string template, JsonElement described) = _operations[operation];
        string id = described.GetProperty("operationId").GetString()!;
        List<JsonElement> parameters = [.. ParametersOf(template, described)];
        string path = Placeholder().Replace(template, place => Draw(random, place.Groups[1].Value, txn));
        string query = string.Join('&', Chosen(random, parameters, "query").Select(name => $"{name}={Draw(random, name, txn)}"));
        List<string> headers = [.. Chosen(random, parameters, "header").Select(name => $"{name}: {Draw(random, name, txn)}")];
        byte[]? body = Bodies.TryGetValue(id, out string? text) ? Encoding.UTF8.GetBytes(Fill(random, text)) : null;
        if (body is not null)
            headers.Add("Content-Type: application/json");
        if (id is "listCommits" or "feed" && random.Next(4) == 0)
            headers.Add("Accept: text/event-stream");
        return new ApiRequest(method, query.Length > 0 ? $"{path}?{query}" : path, headers, body)
        {
            ChunkBytes = body is not null && random.Next(3) == 0 ? 1 + random.Next(40) : 0,
        };
    }

    private static string Fill(Random random, string body) => body
        .Replace("{value}", Values[random.Next(Values.Length)], StringComparison.Ordinal)
        .Replace("{n}", (1 + random.Next(9)).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static IEnumerable<string> Chosen(Random random, List<JsonElement> parameters, string place) =>
        from parameter in parameters
        where parameter.GetProperty("in").GetString() == place && random.Next(3) == 0
        select parameter.GetProperty("name").GetString()!;

    private IEnumerable<JsonElement> ParametersOf(string template, JsonElement operation) =>
        from owner in (JsonElement[])[_document.GetProperty("paths").GetProperty(template), operation]
        where owner.TryGetProperty("parameters", out _)
        from parameter in owner.GetProperty("parameters").EnumerateArray()
        select Resolve(parameter);

    private JsonElement Resolve(JsonElement element)
    {
        if (!element.TryGetProperty("$ref", out JsonElement reference))
            return element;
        JsonElement at = _document;
        foreach (string step in reference.GetString()![2..].Split('/'))
            at = at.GetProperty(step);
        return at;
    }

    /// <summary>A value for a parameter: one of those above, or as its schema says.</summary>
    private string Draw(Random random, string name, string txn)
    {
        if (name == "txn")
            return txn;
        if (Parameters.TryGetValue(name, out string[]? known))
            return known[random.Next(known.Length)];
        JsonElement schema = (
            from parameter in _document.GetProperty("components").GetProperty("parameters").EnumerateObject()
            where parameter.Value.GetProperty("name").GetString() == name
            select parameter.Value.GetProperty("schema")).First();
        if (schema.TryGetProperty("items", out JsonElement items))
            schema = items;
        if (schema.TryGetProperty("enum", out JsonElement all))
            return all[random.Next(all.GetArrayLength())].GetString()!;
        return schema.GetProperty("type").GetString() switch
        {
            "integer" => random.Next(1, 5).ToString(CultureInfo.InvariantCulture),
            "boolean" => "true",
            _ => "x",
        };
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
