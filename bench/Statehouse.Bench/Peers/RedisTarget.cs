using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Testing;

namespace Statehouse.Bench.Peers;

/// <summary>Redis with an append-only file that is flushed before each answer: SET and GET.</summary>
internal sealed partial class RedisTarget : IPeer, IStandsStill
{
    private static readonly TimeSpan s_startBound = TimeSpan.FromMinutes(2);
    private static readonly FrozenSet<RequestKind> s_answers = FrozenSet.Create(RequestKind.Put, RequestKind.Get);

    private readonly string _program;
    private readonly string _folder;
    private readonly IPEndPoint _address = new(IPAddress.Loopback, LoopbackPorts.Take());
    private ChildProcess _process;

    private RedisTarget(string program, string folder)
    {
        (_program, _folder) = (program, folder);
        _process = Start();
    }

    public string Name => "Redis, appendfsync always";

    public string Software { get; private set; } = "Redis";

    public IReadOnlySet<RequestKind> Answers => s_answers;

    public string NotComparable =>
        "no history, no versions, no feed: a write replaces what was there; all data must fit into memory; the client is the benchmark's own; its append-only file is not rewritten during the run, which spares it that work";

    public IReadOnlyList<WatchedProcess> Processes => [new WatchedProcess(_process.Id)];

    /// <exception cref="MissingHere">There is no Redis on this machine, nor can one be installed.</exception>
    /// <exception cref="BenchFailure">It does not flush what it should.</exception>
    public static async Task<RedisTarget> StartAsync(BenchHost host)
    {
        string program = await RedisProgram.FindOrInstallAsync(host.Results);
        string folder = Directory.CreateDirectory(Path.Combine(host.Folder, "redis")).FullName;
        var target = new RedisTarget(program, folder);
        try
        {
            await target.WaitUntilReadyAsync();
            target.RequireDurable();
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) => ValueTask.FromResult<ISession>(new RedisSession(_address));

    /// <summary>By the server's own count of SET commands since it started.</summary>
    public ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken)
    {
        Match calls = Calls().Match(Ask("INFO", "commandstats"));
        return ValueTask.FromResult<long?>(calls.Success ? long.Parse(calls.Groups[1].Value, CultureInfo.InvariantCulture) : 0);
    }

    public ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(new DirectoryInfo(_folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length));

    /// <summary>Counts the SET commands in the append-only file, and asks a new server on it whether it finds all their keys.</summary>
    public async ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken)
    {
        await _process.DisposeAsync();
        AppendOnlyFile file = ReadAppendOnlyFile();
        _process = Start();
        await WaitUntilReadyAsync();
        string keys = Ask("DBSIZE");
        if (keys != file.Keys.ToString(CultureInfo.InvariantCulture))
            throw new BenchFailure($"Redis' append-only file holds {file.Keys} keys, and a server that was started on it {keys}.");
        return file.Sets;
    }

    public void Pause() => _process.Pause();

    public void Resume() => _process.Resume();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    /// <summary>Its folder stands on the command line, where Redis would write a title of its own: by it the process is ended with the run.</summary>
    private ChildProcess Start() => ChildProcess.Start(_program, [
        "--dir", _folder, "--set-proc-title", "no", "--bind", _address.Address.ToString(), "--port", _address.Port.ToString(CultureInfo.InvariantCulture),
        "--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no", "--auto-aof-rewrite-percentage", "0", "--save", "",
    ]);

    private AppendOnlyFile ReadAppendOnlyFile()
    {
        FileInfo[] files = [.. new DirectoryInfo(Path.Combine(_folder, "appendonlydir")).EnumerateFiles("*.incr.aof")];
        if (files.Length != 1)
            throw new BenchFailure($"Redis left {files.Length} increments of its append-only file, not 1.");
        using FileStream file = files[0].OpenRead();
        return AppendOnlyFile.Read(file);
    }

    private async Task WaitUntilReadyAsync()
    {
        using var patience = new CancellationTokenSource(s_startBound);
        while (!IsReady())
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"{_program} ended with {_process.ExitCode}:\n{_process.Output}");
            await Task.Delay(20, patience.Token);
        }
    }

    private bool IsReady()
    {
        try
        {
            // Its own line: another says the same of a replica's loading.
            return Ask("INFO", "persistence").Contains("\nloading:0", StringComparison.Ordinal);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void RequireDurable()
    {
        foreach ((string setting, string wanted) in ((string, string)[])[("appendonly", "yes"), ("appendfsync", "always")])
        {
            string value = Ask("CONFIG", "GET", setting);
            if (value != wanted)
                throw new BenchFailure($"Redis runs with {setting} = {value}: what it acknowledges is not durable.");
        }
        Software = $"Redis {Version().Match(Ask("INFO", "server")).Groups[1].Value} (BSD-3-Clause up to 7.2), CONFIG GET says: appendonly yes, appendfsync always";
    }

    private string Ask(params ReadOnlySpan<string> words)
    {
        using var connection = new RespConnection(_address);
        return Encoding.UTF8.GetString(connection.Send(words));
    }

    [GeneratedRegex(@"^cmdstat_set:calls=(\d+)", RegexOptions.Multiline)]
    private static partial Regex Calls();

    [GeneratedRegex(@"^redis_version:(\S+)", RegexOptions.Multiline)]
    private static partial Regex Version();

    private sealed class RedisSession(IPEndPoint address) : ISession
    {
        private readonly RespConnection _redis = new(address);

        public bool Blocks => true;

        public ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken) => ValueTask.FromResult(Ask(request));

        public ValueTask DisposeAsync()
        {
            _redis.Dispose();
            return ValueTask.CompletedTask;
        }

        private Answer Ask(Request request)
        {
            string key = $"{Names.Agent(request.Agent)}:{Names.Key(request.Key)}";
            switch (request.Kind)
            {
                case RequestKind.Put:
                    ReadOnlySpan<byte> reply = _redis.Send(["SET", key], request.Value.Span);
                    return reply.SequenceEqual("OK"u8) ? new Answer(1, 0) : throw new InvalidOperationException($"SET {key} was answered {Encoding.UTF8.GetString(reply)}.");
                case RequestKind.Get:
                    return _redis.Send(["GET", key]).IsEmpty ? throw new InvalidOperationException($"Redis has no {key}.") : new Answer(0, 1);
                default:
                    throw new NotSupportedException($"No {request.Kind} on Redis.");
            }
        }
    }
}
