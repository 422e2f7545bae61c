using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace Statehouse.LocalCluster.Tests;

/// <summary>
/// A test double of the silo program as a process: it takes its flags, listens where it is told, says so, and keeps keys in
/// the PostgreSQL that it is given. It is no cluster: there is no Orleans in it, and no journal. What it can show is whether
/// the cluster commands start, watch and end processes as they should.
/// </summary>
internal static partial class SiloProcessDouble
{
    /// <summary>How processes misbehave, by the name of the folder they run in: <c>process-2=crash,process-3=never_ready</c>.</summary>
    public const string MisbehaviourVariable = "SILO_DOUBLE_MISBEHAVIOUR";

    public const string Crash = "crash";
    public const string NeverReady = "never_ready";
    public const string IgnoreSigterm = "ignore_sigterm";
    public const string NoAgents = "no_agents";

    /// <summary>The last that a process prints before it crashes.</summary>
    public const string LastWords = "double: the disk is on fire";

    public static bool IsMeant(string[] args) => args.Contains("--role") || args.Contains("--migrate");

    public static async Task<int> RunAsync(string[] args)
    {
        string postgres = Environment.GetEnvironmentVariable("STATEHOUSE_POSTGRES")!;
        if (args is ["--migrate"])
        {
            await PostgresCluster.ExecuteAsync(postgres, "create table if not exists double_state (path text primary key, value text)");
            return 0;
        }
        string misbehaviour = Misbehaviour();
        Console.Error.WriteLine($"settings: {string.Join(' ', Settings())}");
        if (misbehaviour == Crash)
        {
            Console.Error.WriteLine(LastWords);
            return 1;
        }
        return await ServeAsync(args, postgres, misbehaviour);
    }

    private static async Task<int> ServeAsync(string[] args, string postgres, string misbehaviour)
    {
        var terminated = new TaskCompletionSource();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            if (misbehaviour != IgnoreSigterm)
                terminated.TrySetResult();
        });
        List<TcpListener> listeners = [];
        foreach (string flag in (string[])["--silo-port", "--gateway-port", "--grpc", "--dashboard"])
        {
            if (Value(args, flag) is { } address)
            {
                listeners.Add(new TcpListener(IPEndPoint.Parse(address)));
                listeners[^1].Start();
            }
        }
        using var http = new HttpListener();
        http.Prefixes.Add($"http://{Value(args, "--http")}/");
        http.Start();
        Task serving = AnswerAsync(
            http, postgres, isReady: misbehaviour != NeverReady, hasAgents: Value(args, "--role") == "gateway" && misbehaviour != NoAgents);
        Console.WriteLine($"http: http://{Value(args, "--http")}");
        if (misbehaviour != NeverReady)
            Console.WriteLine("ready");
        await Task.WhenAny(terminated.Task, serving);
        listeners.ForEach(listener => listener.Dispose());
        return 0;
    }

    private static async Task AnswerAsync(HttpListener http, string postgres, bool isReady, bool hasAgents)
    {
        while (true)
        {
            HttpListenerContext call = await http.GetContextAsync();
            string path = call.Request.RawUrl!;
            bool isAgent = path.StartsWith("/v1/namespaces/", StringComparison.Ordinal);
            call.Response.StatusCode = isReady && (hasAgents || !isAgent) ? 200 : 503;
            if (!isAgent || !hasAgents)
                await WriteAsync(call, """{"status":"the double's answer"}""");
            else if (call.Request.HttpMethod == "PUT")
                await WriteAsync(call, await PutAsync(postgres, path, await new StreamReader(call.Request.InputStream).ReadToEndAsync()));
            else
                await WriteAsync(call, await GetAsync(postgres, path));
        }
    }

    private static async Task WriteAsync(HttpListenerContext call, string body)
    {
        await call.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
        call.Response.Close();
    }

    private static async Task<string> PutAsync(string postgres, string path, string value)
    {
        await using NpgsqlConnection connection = await PostgresCluster.ConnectAsync(postgres);
        await using var command = new NpgsqlCommand(
            "insert into double_state values ($1, $2) on conflict (path) do update set value = $2", connection)
        {
            Parameters = { new() { Value = path }, new() { Value = value } },
        };
        await command.ExecuteNonQueryAsync();
        return "{}";
    }

    private static async Task<string> GetAsync(string postgres, string path)
    {
        await using NpgsqlConnection connection = await PostgresCluster.ConnectAsync(postgres);
        await using var command = new NpgsqlCommand("select value from double_state where path = $1", connection)
        {
            Parameters = { new() { Value = path } },
        };
        return $$"""{"value": {{await command.ExecuteScalarAsync()}}}""";
    }

    private static string? Value(string[] args, string flag) =>
        Array.IndexOf(args, flag) is >= 0 and var index ? args[index + 1] : null;

    private static IEnumerable<string> Settings() =>
        Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name.StartsWith("STATEHOUSE_", StringComparison.Ordinal)).Order();

    private static string Misbehaviour()
    {
        string folder = Path.GetFileName(Environment.CurrentDirectory);
        string all = Environment.GetEnvironmentVariable(MisbehaviourVariable) ?? "";
        return Assignment().Matches(all).FirstOrDefault(match => match.Groups[1].Value == folder)?.Groups[2].Value ?? "";
    }

    [GeneratedRegex("([^,=]+)=([^,]+)")]
    private static partial Regex Assignment();
}
