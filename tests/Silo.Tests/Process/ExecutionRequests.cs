namespace Statehouse.Silo.Tests.Process;

/// <summary>Requests to executions, good and bad, one of each kind, in an order that makes sense.</summary>
internal static class ExecutionRequests
{
    private const string E = "/v1/namespaces/default/executions";
    private const string X = E + "/ada";

    public static IEnumerable<(string Method, string Target, string? Body)> All =>
    [
        ("POST", E, """{"execution_id":"ada","workflow":"refund","labels":{"team":"a"},"state":{"n":0},"settings":{"checkpoint_interval":2,"checkpoint_retention":4}}"""),
        ("POST", E, """{"execution_id":"ada","workflow":"refund","labels":{"team":"a"},"state":{"n":0},"settings":{"checkpoint_interval":2,"checkpoint_retention":4}}"""),
        ("POST", E, """{"execution_id":"ada","workflow":"other"}"""),
        ("POST", E + "/claim", """{"worker":"w","limit":3}"""),
        ("POST", E + "/claim", """{"worker":"v"}"""),
        ("PUT", X + "/checkpoints/1", "{}"),
        .. Enumerable.Range(1, 12).Select(step => ("PUT", $"{X}/checkpoints/{step}?token=1", (string?)$"{{\"n\":{step},\"text\":\"{new string('x', 40)}\"}}")),
        ("PUT", X + "/checkpoints/12?token=1", "{}"),
        ("PUT", X + "/checkpoints/13?token=2", "{}"),
        ("PUT", X + "/checkpoints/20?token=1&buffered=true", "20"),
        ("PUT", X + "/checkpoints/21?token=1&buffered=true", "21"),
        ("POST", X + "/flush", ""),
        ("POST", X + "/heartbeat", """{"token":1}"""),
        ("POST", X + "/thin", ""),
        ("GET", X + "/checkpoints?state=true", null),
        ("GET", X + "/checkpoints?order=desc&limit=2", null),
        ("GET", X + "/checkpoints/2", null),
        ("GET", X + "/checkpoints/21", null),
        ("GET", X + "/checkpoints/latest", null),
        ("GET", X + "/checkpoints/99", null),
        ("POST", X + "/snapshots/a%2Fb?step=20", ""),
        ("POST", X + "/snapshots/a%2Fb", ""),
        ("GET", X + "/snapshots", null),
        ("GET", X + "/snapshots/a%2Fb", null),
        ("POST", X + "/restore", """{"snapshot":"a/b"}"""),
        ("POST", X + "/restore", """{"step":1}"""),
        ("PUT", X + "/checkpoints/30", "30"),
        ("GET", X, null),
        ("GET", X + "?consistency=strong", null),
        ("POST", E, """{"execution_id":"bob","workflow":"refund"}"""),
        ("POST", E + "/commit", """{"checkpoints":[{"execution_id":"ada","step":31,"state":1},{"execution_id":"bob","step":1,"state":1}]}"""),
        ("POST", E + "/commit", """{"checkpoints":[{"execution_id":"ada","step":31,"state":1},{"execution_id":"bob","step":1,"state":1}]}"""),
        ("POST", E + "/commit", """{"checkpoints":[{"execution_id":"ada","step":32,"state":1},{"execution_id":"bob","step":0,"state":1}]}"""),
        ("GET", E + "?label=team%3Da", null),
        ("GET", E + "?order_by=started&order=asc&limit=1", null),
        ("GET", E + "?status=failed", null),
        ("POST", X + "/complete", """{"result":{"ok":true}}"""),
        ("POST", X + "/pause", ""),
        ("POST", E + "/bob/fail", """{"error":{"message":"m"}}"""),
        ("DELETE", X + "/snapshots/a%2Fb", null),
        ("GET", E + "/metrics", null),
        ("POST", E + "/cleanup", """{"older_than_days":0,"status":["completed"]}"""),
        ("GET", X, null),
        ("POST", E, """{"execution_id":"ada","workflow":"again","state":1}"""),
        ("GET", X + "/checkpoints", null),
        ("GET", "/v1/feed?namespace=default&limit=1000", null),
    ];
}
