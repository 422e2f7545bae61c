using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Statehouse.Bench.Load;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Testing;

namespace Statehouse.Bench.Peers;

/// <summary>
/// Restate: its server, and a virtual object per agent in a service of ours (bench/peers/restate-service.mjs), called over HTTP by the
/// client that calls Statehouse.
/// </summary>
internal sealed partial class RestateTarget : IPeer, IStandsStill
{
    private const string ServerPackage = "@restatedev/restate-server";
    private const string DurableSetting = "rocksdb-disable-wal-fsync = false";
    private const string JsonHeader = "Content-Type: application/json\r\n";
    private const int Created = 201;

    /// <summary>The count has settled when it was asked for so often in a row and stayed: after a start, partitions come up one after the other.</summary>
    private const int SameCounts = 6;

    private static readonly TimeSpan s_startBound = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_settleDelay = TimeSpan.FromMilliseconds(500);
    private static readonly FrozenSet<RequestKind> s_answers = FrozenSet.Create(RequestKind.Put, RequestKind.Get);

    private readonly IPEndPoint _ingress = new(IPAddress.Loopback, LoopbackPorts.Take());
    private readonly IPEndPoint _admin = new(IPAddress.Loopback, LoopbackPorts.Take());
    private readonly string _program;
    private readonly string _settings;
    private readonly string _data;
    private readonly ChildProcess _service;
    private ChildProcess _server;

    private RestateTarget(NodePackages packages, string folder)
    {
        _program = packages.PathOf($"{ServerPackage}-linux-{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64")}", "bin/restate-server");
        _data = Path.Combine(folder, "data");
        _settings = Path.Combine(folder, "restate.toml");
        File.WriteAllText(_settings, Settings());
        _service = packages.Run("restate-service.mjs", new Dictionary<string, string> { ["RESTATE_LOGGING"] = "ERROR" });
        _server = StartServer();
        Software = $"{packages.Describe(ServerPackage)}, {packages.Describe("@restatedev/restate-sdk")} on Node {packages.NodeVersion}; "
            + $"its settings say: [log-server] {DurableSetting}, which is its default: each batch of its log is flushed before it is acknowledged";
    }

    public string Name => "Restate, HTTP";

    public string Software { get; }

    public IReadOnlySet<RequestKind> Answers => s_answers;

    public string NotComparable =>
        "each request is an invocation of a handler, which it journals and keeps for a day by default, a read's too; the handler runs in a Node process of ours beside the server, "
        + "whose processor time counts; no history of a key, no versions, no feed; one node, replication 1";

    public IReadOnlyList<WatchedProcess> Processes => [new WatchedProcess(_server.Id), new WatchedProcess(_service.Id)];

    /// <exception cref="BenchFailure">It would not flush its log.</exception>
    public static async Task<RestateTarget> StartAsync(BenchHost host, NodePackages packages)
    {
        var target = new RestateTarget(packages, Directory.CreateDirectory(Path.Combine(host.Folder, "restate")).FullName);
        try
        {
            await target.RequireDurableAsync();
            await target.WaitUntilReadyAsync();
            Match service = await target._service.WaitForOutputAsync(ServiceAddress(), s_startBound, CancellationToken.None);
            target.AskAdmin("POST /deployments", $$"""{"uri":"{{service.Groups[1].Value}}"}""", Created);
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) => ValueTask.FromResult<ISession>(new RestateSession(_ingress));

    /// <summary>By its own table of invocations, asked until the number stays.</summary>
    public async ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken)
    {
        const string Query = """{"query":"select count(*) as n from sys_invocation where target_handler_name = 'set' and completion_result = 'success'"}""";
        using var patience = new CancellationTokenSource(s_startBound);
        (long? last, int same) = (null, 0);
        while (same < SameCounts)
        {
            // While partitions still start, it answers with an error.
            long? now = TryAskAdmin("POST /query", Query) is { } text ? Count(text) : null;
            same = now is not null && now == last ? same + 1 : 0;
            last = now;
            await Task.Delay(s_settleDelay, patience.Token);
        }
        return last;
    }

    public ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(new DirectoryInfo(_data).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0));

    public async ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken)
    {
        await _server.DisposeAsync();
        _server = StartServer();
        await WaitUntilReadyAsync();
        return await CountCommitsAsync(cancellationToken);
    }

    public void Pause() => _server.Pause();

    public void Resume() => _server.Resume();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _service.DisposeAsync();
    }

    private ChildProcess StartServer() => ChildProcess.Start(_program, ["--config-file", _settings, "--no-logo"]);

    /// <summary>All roles in one node, as its own quick start has it; what makes it durable is written out, and asked for below.</summary>
    private string Settings() => string.Create(CultureInfo.InvariantCulture, $"""
        node-name = "bench"
        base-dir = "{_data}"
        listen-mode = "tcp"
        bind-address = "127.0.0.1:{LoopbackPorts.Take()}"
        default-replication = 1
        disable-telemetry = true
        log-filter = "warn"
        log-disable-ansi-codes = true

        [ingress]
        listen-mode = "tcp"
        bind-address = "{_ingress}"

        [admin]
        listen-mode = "tcp"
        bind-address = "{_admin}"
        disable-web-ui = true

        [bifrost]
        default-provider = "replicated"

        [log-server]
        {DurableSetting}
        """);

    /// <summary>Asks the program what it makes of the settings.</summary>
    private async Task RequireDurableAsync()
    {
        await using ChildProcess dump = ChildProcess.Start(_program, ["--config-file", _settings, "--dump-config"]);
        await dump.WaitForExitAsync(s_startBound, CancellationToken.None);
        string text = dump.Output;
        int section = text.IndexOf("[log-server]", StringComparison.Ordinal);
        if (section < 0 || !text[section..].Contains(DurableSetting, StringComparison.Ordinal) || !text.Contains("default-provider = \"replicated\"", StringComparison.Ordinal))
            throw new BenchFailure($"Restate does not say that it flushes its log ([log-server] {DurableSetting}): what it acknowledges may not be durable.");
    }

    private async Task WaitUntilReadyAsync()
    {
        using var patience = new CancellationTokenSource(s_startBound);
        while (!IsReady())
        {
            if (_server.HasExited)
                throw new InvalidOperationException($"Restate ended with {_server.ExitCode}:\n{_server.Output}");
            await Task.Delay(50, patience.Token);
        }
    }

    private bool IsReady()
    {
        try
        {
            using var ingress = new BlockingHttpClient(_ingress);
            using var admin = new BlockingHttpClient(_admin, "Accept: application/json\r\n");
            return ingress.Send("GET /restate/health", default, out _) == 200 && admin.Send("GET /deployments", default, out _) == 200;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void AskAdmin(string start, string body, int wanted)
    {
        using var http = new BlockingHttpClient(_admin, $"{JsonHeader}Accept: application/json\r\n");
        int status = http.Send(start, Encoding.UTF8.GetBytes(body), out ReadOnlySpan<byte> reply);
        if (status != wanted)
            throw new BenchFailure($"Restate answered {start} with {status}: {Encoding.UTF8.GetString(reply)}");
    }

    private string? TryAskAdmin(string start, string body)
    {
        // A query's answer has no length: the framework's client reads it to its end.
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{_admin}{start.Split(' ')[1]}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Accept", "application/json");
        using HttpResponseMessage reply = http.Send(request);
        using var text = new StreamReader(reply.Content.ReadAsStream());
        return reply.IsSuccessStatusCode ? text.ReadToEnd() : null;
    }

    private static long Count(string text)
    {
        using JsonDocument reply = JsonDocument.Parse(text);
        return reply.RootElement.GetProperty("rows")[0].GetProperty("n").GetInt64();
    }

    [GeneratedRegex(@"^service: (\S+)", RegexOptions.Multiline)]
    private static partial Regex ServiceAddress();

    private sealed class RestateSession(IPEndPoint address) : ISession
    {
        private const int Ok = 200;

        private readonly BlockingHttpClient _http = new(address, JsonHeader);
        private readonly MemoryStream _body = new();

        public bool Blocks => true;

        public ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken) => ValueTask.FromResult(request.Kind switch
        {
            RequestKind.Put => Call(request, "set", new Answer(1, 0)),
            RequestKind.Get => Call(request, "get", new Answer(0, 1)),
            _ => throw new NotSupportedException($"No {request.Kind} on Restate."),
        });

        public ValueTask DisposeAsync()
        {
            _http.Dispose();
            return ValueTask.CompletedTask;
        }

        private Answer Call(Request request, string handler, Answer answer)
        {
            _body.SetLength(0);
            _body.Write(Encoding.ASCII.GetBytes($"{{\"key\":\"{Names.Key(request.Key)}\""));
            if (!request.Value.IsEmpty)
            {
                _body.Write(",\"value\":"u8);
                _body.Write(request.Value.Span);
            }
            _body.Write("}"u8);
            string start = $"POST /agent/{Names.Agent(request.Agent)}/{handler}";
            int status = _http.Send(start, _body.GetBuffer().AsSpan(0, (int)_body.Length), out ReadOnlySpan<byte> reply);
            return status == Ok ? answer : throw new InvalidOperationException($"{start} was answered {status}: {Encoding.UTF8.GetString(reply)}");
        }
    }
}
