namespace Statehouse.Cli;

/// <summary>The routes of one execution. Every segment is percent-encoded on its own, as of <see cref="AgentPath"/>.</summary>
internal sealed record ExecutionPath(string Namespace, string Execution)
{
    /// <summary>The namespace's metrics stand where an execution of this name would; encoded, it is reached.</summary>
    private const string MetricsName = "metrics";

    public string Head =>
        $"{AllOf(Namespace)}/{(Execution == MetricsName ? "%6Detrics" : AgentPath.Segment("EXECUTION", Execution))}";

    public string Checkpoints => Head + "/checkpoints";

    public string Snapshots => Head + "/snapshots";

    public string Snapshot(string name) => $"{Snapshots}/{AgentPath.Segment("NAME", name)}";

    public static string AllOf(string @namespace) => $"/v1/namespaces/{AgentPath.Segment("--namespace", @namespace)}/executions";
}
