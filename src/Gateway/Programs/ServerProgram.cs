using System.Net;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// A server program: reads its settings, starts, says so, waits for a signal, stops. Exit codes: 0 stopped as asked (or
/// nothing to run was asked for), 1 could not start or stop, 2 a setting cannot be used.
/// </summary>
/// <param name="table">What it can be told.</param>
/// <param name="clock">Of everything but the log.</param>
internal abstract class ServerProgram<TSettings, TNode>(SettingTable<TSettings> table, TimeProvider clock)
    where TSettings : ProgramSettings
    where TNode : class, IServerNode
{
    /// <param name="args">The command line.</param>
    /// <param name="output">For the person who started it.</param>
    /// <param name="errors">For the log, and for the one line that says why it could not.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        try
        {
            CommandLineFlags<TSettings>? flags = new CommandLine<TSettings>(table).Parse(args, out int exitCode);
            if (flags is null)
                return exitCode;
            TSettings settings = SettingsLoader.Load(table, flags, Environment.GetEnvironmentVariables(), Environment.CurrentDirectory);
            return await ServeAsync(settings, output, errors);
        }
        catch (SettingsException error)
        {
            await errors.WriteLineAsync("statehouse: " + error.Message);
            return 2;
        }
    }

    /// <returns>Null where the settings ask for something else than serving, and that is done.</returns>
    /// <exception cref="ProgramException">It cannot start: the message is the one line for the operator.</exception>
    /// <exception cref="JournalOpenException">As above.</exception>
    /// <exception cref="StatehouseException">As above.</exception>
    /// <exception cref="IOException">An address cannot be bound.</exception>
    protected abstract Task<TNode?> StartAsync(TSettings settings, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken);

    /// <summary>What it listens on, for the warning where others than this machine can reach it.</summary>
    protected abstract IEnumerable<(string Protocol, IPEndPoint Address)> Listens(TSettings settings);

    /// <summary>Says where it is, to the person who started it and to the log.</summary>
    protected abstract void Introduce(TSettings settings, TNode node, TextWriter output, GatewayLog log);

    private async Task<int> ServeAsync(TSettings settings, TextWriter output, TextWriter errors)
    {
        using var loggers = new LoggerFactory([new LineLoggerProvider(errors, settings.Log, TimeProvider.System)]);
        var log = new GatewayLog(loggers.CreateLogger("Statehouse.Gateway"));
        using var signals = new StopSignals();
        try
        {
            Warn(settings, log);
            await using TNode? node = await StartAsync(settings, clock, loggers, signals.Stop);
            if (node is null)
                return 0;
            Introduce(settings, node, output, log);
            await signals.Stopped;
            log.Stopping(node.StopPatience.TotalSeconds);
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
            // Asked to stop before it had started: nothing to drain.
            return 0;
        }
        catch (Exception error) when (error is ProgramException or JournalOpenException or StatehouseException or IOException)
        {
            await errors.WriteLineAsync("statehouse: " + error.Message);
            return 1;
        }
        log.Stopped();
        return 0;
    }

    private void Warn(TSettings settings, GatewayLog log)
    {
        foreach (string name in SettingsLoader.UnknownVariables(table, Environment.GetEnvironmentVariables()))
            log.UnknownVariable(name);
        foreach ((string protocol, IPEndPoint address) in Listens(settings))
        {
            if (!IPAddress.IsLoopback(address.Address))
                log.BoundBeyondLoopback(protocol, address.ToString());
        }
    }
}

/// <summary>What a server program runs between its start and a signal; disposing it stops it in good order.</summary>
internal interface IServerNode : IAsyncDisposable
{
    /// <summary>How long what is in flight may take to end.</summary>
    TimeSpan StopPatience { get; }
}
