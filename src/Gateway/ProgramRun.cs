using System.Net;
using System.Runtime.InteropServices;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>One run of the server process: start, say so, wait for a signal, stop.</summary>
internal static class ProgramRun
{
    public static async Task<int> RunAsync(ServerSettings settings, TextWriter output, TextWriter errors)
    {
        using var loggers = new LoggerFactory([new LineLoggerProvider(errors, settings.Log, TimeProvider.System)]);
        var log = new GatewayLog(loggers.CreateLogger("Statehouse.Gateway"));
        using var signals = new StopSignals();
        try
        {
            Warn(settings, log);
            await using SingleNode node = await SingleNode.StartAsync(settings, TimeProvider.System, loggers, signals.Stop);
            Introduce(settings, node, output, log);
            await signals.Stopped;
            log.Stopping(node.StopPatience.TotalSeconds);
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
            // Asked to stop before it had started: nothing to drain.
            return 0;
        }
        catch (Exception error) when (error is JournalOpenException or StatehouseException or IOException)
        {
            await errors.WriteLineAsync("statehouse: " + error.Message);
            return 1;
        }
        log.Stopped();
        return 0;
    }

    private static void Warn(ServerSettings settings, GatewayLog log)
    {
        foreach (string name in SettingsLoader.UnknownVariables(Environment.GetEnvironmentVariables()))
            log.UnknownVariable(name);
        if (!IPAddress.IsLoopback(settings.HttpAddress.Address))
            log.BoundBeyondLoopback("HTTP", settings.HttpAddress.ToString());
        if (!IPAddress.IsLoopback(settings.GrpcAddress.Address))
            log.BoundBeyondLoopback("gRPC", settings.GrpcAddress.ToString());
    }

    /// <summary>For the person who started it: where it is, and one line to try.</summary>
    private static void Introduce(ServerSettings settings, SingleNode node, TextWriter output, GatewayLog log)
    {
        string address = node.Address.ToString().TrimEnd('/');
        string journal = settings.Journal == JournalKind.Sqlite
            ? $"sqlite in {Path.GetFullPath(settings.DataDirectory)}"
            : "postgres";
        output.WriteLine($"Statehouse {BuildInfo.Version} listens on {address}");
        output.WriteLine($"gRPC: {node.GrpcAddress!.Authority}");
        output.WriteLine($"journal: {journal}");
        output.WriteLine($"try: curl -X PUT {address}/v1/namespaces/default/agents/ada/state/greeting -d '\"hello\"'");
        output.Flush();
        log.Started(address, node.GrpcAddress.Authority, settings.Journal == JournalKind.Sqlite ? "sqlite" : "postgres");
    }
}

/// <summary>SIGTERM and SIGINT, turned into a token and a task. A second one ends the process the hard way.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;

    public StopSignals()
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    public CancellationToken Stop => _stop.Token;

    public Task Stopped => _stopped.Task;

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _stop.Dispose();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        signal.Cancel = !_stop.IsCancellationRequested;
        _stop.Cancel();
        _stopped.TrySetResult();
    }
}
