using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Statehouse.LocalCluster;

/// <summary>What <c>status</c> tells; as JSON its members are a contract with scripts: docs/cluster-commands.md.</summary>
/// <param name="Data">The cluster's folder.</param>
/// <param name="Postgres">Its database.</param>
/// <param name="Processes">By number, those that have ended included.</param>
internal sealed record ClusterStatus(string Data, PostgresStatus Postgres, IReadOnlyList<ProcessStatus> Processes)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private static readonly string[] s_columns = ["NO", "ROLE", "PID", "STATE", "HTTP", "GRPC", "SILO", "GATEWAY", "DASHBOARD"];

    /// <summary>Those that run: where callers can go.</summary>
    public IEnumerable<GatewayAddresses> Gateways =>
        from process in Processes
        where process.Role == ClusterRole.Gateway && process.Pid is not null
        select new GatewayAddresses(process.Number, process.Http, process.Grpc!);

    public string Json() => JsonSerializer.Serialize(this, s_json);

    /// <summary>For people: a head, and a table.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"data      {Data}";
        string server = Postgres.Pid is null ? "" : $", port {Postgres.Port}, process {Postgres.Pid}";
        yield return $"postgres  {JsonNamingPolicy.SnakeCaseLower.ConvertName(Postgres.State.ToString())}{server}";
        List<string[]> rows = [s_columns, .. Processes.Select(Row)];
        int[] widths = [.. s_columns.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
            yield return string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();
    }

    private static string[] Row(ProcessStatus process) =>
    [
        process.Number.ToString(CultureInfo.InvariantCulture),
        JsonNamingPolicy.SnakeCaseLower.ConvertName(process.Role.ToString()),
        process.Pid?.ToString(CultureInfo.InvariantCulture) ?? "-",
        JsonNamingPolicy.SnakeCaseLower.ConvertName(process.State.ToString()),
        process.Http,
        process.Grpc ?? "-",
        process.SiloPort?.ToString(CultureInfo.InvariantCulture) ?? "-",
        process.GatewayPort?.ToString(CultureInfo.InvariantCulture) ?? "-",
        process.Dashboard ?? "-",
    ];
}

/// <summary>One gateway's addresses.</summary>
internal sealed record GatewayAddresses(int Number, string Http, string Grpc);

internal enum ServerCondition
{
    Running,

    /// <summary>Ended in order.</summary>
    Stopped,

    /// <summary>Ended otherwise.</summary>
    Gone,

    /// <summary>Not the cluster's own, and not looked at.</summary>
    Given,
}

/// <summary>The cluster's database.</summary>
/// <param name="State">How it is.</param>
/// <param name="Port">Its own server's, on 127.0.0.1; null of one that was given.</param>
/// <param name="Pid">Of its own server while it runs.</param>
internal sealed record PostgresStatus(ServerCondition State, int? Port, int? Pid)
{
    public static PostgresStatus Of(PostgresState postgres)
    {
        if (postgres.Private is not { } server)
            return new PostgresStatus(ServerCondition.Given, Port: null, Pid: null);
        if (PrivatePostgres.Find(server) is { } running)
            return new PostgresStatus(ServerCondition.Running, running.Port, running.Process.Pid);
        return new PostgresStatus(PrivatePostgres.WasBrokenOff(server) ? ServerCondition.Gone : ServerCondition.Stopped, server.Port, Pid: null);
    }
}

internal enum ProcessCondition
{
    /// <summary>Runs, and was not ready yet.</summary>
    Starting,

    /// <summary>Runs, and says that it can serve.</summary>
    Ready,

    /// <summary>Runs, was ready, and now is not.</summary>
    Unready,

    /// <summary>Ended in order, by a command.</summary>
    Stopped,

    /// <summary>Ended otherwise: killed, or crashed.</summary>
    Gone,
}

/// <summary>One silo or gateway. What it does not have is null.</summary>
internal sealed record ProcessStatus(
    int Number, ClusterRole Role, int? Pid, ProcessCondition State, string Http, string? Grpc, int? SiloPort, int? GatewayPort,
    string? Dashboard, string Logs)
{
    public static async Task<ProcessStatus> OfAsync(
        ProcessState process, ClusterFolder folder, ReadinessProbe readiness, CancellationToken cancellationToken)
    {
        ProcessCondition condition = await ConditionAsync(process, readiness, cancellationToken);
        bool runs = condition is not (ProcessCondition.Stopped or ProcessCondition.Gone);
        return new ProcessStatus(
            process.Number, process.Role, runs ? process.Identity!.Pid : null, condition, process.Http, process.Grpc,
            process.Ports.Silo, process.Ports.OrleansGateway, process.Dashboard, folder.FolderOf(process));
    }

    private static async Task<ProcessCondition> ConditionAsync(
        ProcessState process, ReadinessProbe readiness, CancellationToken cancellationToken)
    {
        if (process.Identity is null)
            return ProcessCondition.Stopped;
        if (!process.IsAlive)
            return process.WasStopped ? ProcessCondition.Stopped : ProcessCondition.Gone;
        if (await readiness.WhyNotAsync(process, cancellationToken) is null)
            return ProcessCondition.Ready;
        return process.WasReady ? ProcessCondition.Unready : ProcessCondition.Starting;
    }
}
