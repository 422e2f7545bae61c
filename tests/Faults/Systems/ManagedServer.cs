using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Statehouse.Faults.Injection;
using Statehouse.Testing;

namespace Statehouse.Faults.Systems;

/// <summary>
/// One server of a system: a process on ports that stay its own, started anew whenever it has ended, as a service manager
/// would, unless a fault holds it down. Clients and the database are reached through proxies.
/// </summary>
internal sealed partial class ManagedServer : IAsyncDisposable
{
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    private static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ReadyBound = TimeSpan.FromSeconds(2);

    private readonly RunFolder _folder;
    private readonly ServerCommand _command;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly HttpClient _http;
    private readonly List<ServerEnd> _ends = [];
    private ChildProcess? _process;
    private int _holds;
    private int _starts;
    private int _stops;
    private bool _isEndWanted;
    private bool _isKilled;
    private readonly List<StuckDrain> _stuck = [];
    private string? _crashAt;
    private IReadOnlyDictionary<string, string>? _environment;

    /// <param name="name">For instance <c>server 2</c>.</param>
    /// <param name="folder">Where what it prints is kept.</param>
    /// <param name="ports">Where it listens.</param>
    /// <param name="command">How it is started.</param>
    public ManagedServer(string name, RunFolder folder, ServerPorts ports, ServerCommand command)
    {
        (Name, _folder, Ports, _command) = (name, folder, ports, command);
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports.Http}"), Timeout = ReadyBound };
    }

    public string Name { get; }

    public ServerPorts Ports { get; }

    /// <summary>Bad networks of its clients, its database, its fellows.</summary>
    public List<(string Name, TcpProxy Proxy)> Links { get; } = [];

    /// <summary>Through which clients reach it; null = it has no API.</summary>
    public (TcpProxy Http, TcpProxy Grpc)? Door { get; init; }

    /// <summary>Where it finds PostgreSQL; 0 = nowhere.</summary>
    public int DatabasePort { get; private set; }

    /// <summary>What moves its clock; null = nothing.</summary>
    public string? ClockFile => _command.ClockFile;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The process that runs has a crash point.</summary>
    public bool IsArmed { get; private set; }

    public bool IsStopped => Volatile.Read(ref _stops) > 0;

    public bool IsHeld => Volatile.Read(ref _holds) > 0;

    public int ProcessId => _process?.Id ?? 0;

    /// <summary>How often it was started.</summary>
    public int Starts => _starts;

    /// <summary>How its processes ended, in order.</summary>
    public IReadOnlyList<ServerEnd> Ends
    {
        get
        {
            lock (_ends)
                return [.. _ends];
        }
    }

    /// <summary>When SIGTERM was not enough.</summary>
    public IReadOnlyList<StuckDrain> StuckDrains
    {
        get
        {
            lock (_stuck)
                return [.. _stuck];
        }
    }

    public string OutputFile => _folder.PathOf($"{Name.Replace(' ', '-')}.log");

    /// <summary>The last that it printed.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>It finds PostgreSQL at the proxy from now on, which is its own.</summary>
    public void ReachDatabaseThrough(TcpProxy proxy)
    {
        DatabasePort = proxy.Port;
        Links.Add(("PostgreSQL to", proxy));
    }

    /// <summary>Starts it where it does not run and nothing holds it down. Does not wait until it is ready.</summary>
    public async Task EnsureStartedAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (IsRunning || IsHeld)
                return;
            await CollectEndAsync();
            (string dll, IReadOnlyList<string> arguments) = _command.For(_crashAt);
            (IsArmed, _isEndWanted, _isKilled) = (_crashAt is not null, false, false);
            _crashAt = null;
            _starts++;
            await File.AppendAllTextAsync(OutputFile, $"--- start {_starts}: {PasswordSetting().Replace(string.Join(' ', arguments), "Password=…")}\n", cancellationToken);
            _process = ChildProcess.StartDotnet(dll, arguments, _folder.Path, OutputFile, Environment());
            _folder.NoteProcess(_process.Id);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>kill -9, and held down until <see cref="Release"/>.</summary>
    /// <returns>Its process id; 0 where it did not run.</returns>
    public async Task<int> KillAsync()
    {
        Hold();
        await _turn.WaitAsync();
        try
        {
            int id = IsRunning ? ProcessId : 0;
            _isKilled = IsRunning;
            if (_process is not null)
                await _process.KillAsync();
            await CollectEndAsync();
            return id;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>SIGTERM, and held down until <see cref="Release"/>.</summary>
    /// <returns>Its exit code; null where it did not run, or had to be killed after a minute.</returns>
    public async Task<int?> DrainAsync(CancellationToken cancellationToken)
    {
        Hold();
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (!IsRunning)
                return null;
            _isEndWanted = true;
            long began = Stopwatch.GetTimestamp();
            try
            {
                return await _process!.TerminateAsync(DrainBound, cancellationToken);
            }
            catch (TimeoutException)
            {
                lock (_stuck)
                    _stuck.Add(new StuckDrain(Name, began, Stopwatch.GetTimestamp()));
                _isKilled = true;
                await _process!.KillAsync();
                return null;
            }
        }
        finally
        {
            await CollectEndAsync();
            _turn.Release();
        }
    }

    /// <summary>It is not started until <see cref="Release"/>; it may run on meanwhile.</summary>
    public void Hold() => Interlocked.Increment(ref _holds);

    /// <summary>It may be started again.</summary>
    public void Release() => Interlocked.Decrement(ref _holds);

    /// <summary>SIGSTOP.</summary>
    /// <returns>Its process id; 0 where it did not run.</returns>
    public int Stop()
    {
        Interlocked.Increment(ref _stops);
        if (_process is not { HasExited: false } process)
            return 0;
        process.Signal(SigStop);
        return process.Id;
    }

    /// <summary>SIGCONT, where nobody else stopped it too.</summary>
    public void Continue()
    {
        if (Interlocked.Decrement(ref _stops) == 0 && IsRunning)
            _process!.Signal(SigCont);
    }

    /// <summary>The next start is one with a crash point.</summary>
    public void CrashAtNextStart(string crashAt) => _crashAt = crashAt;

    /// <summary>Starts from now on get these variables too; null = none.</summary>
    public void UseEnvironment(IReadOnlyDictionary<string, string>? environment) => _environment = environment;

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        if (!IsRunning)
            return false;
        try
        {
            using HttpResponseMessage response = await _http.GetAsync("/readyz", cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        foreach ((_, TcpProxy proxy) in Links)
            await proxy.DisposeAsync();
        _http.Dispose();
        _turn.Dispose();
    }

    private async Task CollectEndAsync()
    {
        if (_process is not { HasExited: true } ended)
            return;
        _process = null;
        _folder.ForgetProcess(ended.Id);
        int code = await ended.WaitForExitAsync(DrainBound, CancellationToken.None);
        lock (_ends)
            _ends.Add(new ServerEnd(Name, code, How(code), ended.Output));
        await File.AppendAllTextAsync(OutputFile, string.Create(CultureInfo.InvariantCulture, $"--- ended with {code}\n"));
        await ended.DisposeAsync();
        IsArmed = false;
    }

    [GeneratedRegex("Password=[^;]*")]
    private static partial Regex PasswordSetting();

    private Dictionary<string, string> Environment() =>
        new(_command.Environment.Concat(_environment ?? new Dictionary<string, string>()));

    private EndKind How(int code) =>
        _isKilled ? EndKind.Fault
        : IsArmed && code == 128 + SigKill ? EndKind.CrashPoint
        // Told to stop it may say that it could not do so in good order (1); SIGTERM itself ends a process that does not listen for it yet.
        : _isEndWanted && code is 0 or 1 or 128 + SigTerm ? EndKind.Fault
        : EndKind.ByItself;
}

/// <summary>Loopback ports on which a server listens; 0 = it does not.</summary>
internal sealed record ServerPorts(int Http, int Grpc, int Silo = 0, int Gateway = 0);

/// <summary>How a server's process ended.</summary>
/// <param name="Server">Which.</param>
/// <param name="ExitCode">128 + the signal where one ended it.</param>
/// <param name="Kind">Who wanted it.</param>
/// <param name="Output">The last that it printed.</param>
internal sealed record ServerEnd(string Server, int ExitCode, EndKind Kind, string Output);

internal enum EndKind
{
    /// <summary>It was killed, or told to stop.</summary>
    Fault,

    /// <summary>It came to the crash point that it was started with.</summary>
    CrashPoint,

    /// <summary>Nobody told it to.</summary>
    ByItself,
}
