using Statehouse.Faults.Clients;
using Statehouse.Faults.Injection;

namespace Statehouse.Faults.Systems;

/// <summary>A running Statehouse of real processes, and what can be done to it.</summary>
public interface ISystemUnderTest : IAsyncDisposable
{
    /// <summary>sqlite, postgres or cluster.</summary>
    string Name { get; }

    /// <summary>Whether more than one process may serve one agent: then only reads that ask for it are linearizable.</summary>
    bool IsShared { get; }

    /// <summary>http, grpc, grains: what <see cref="Connect"/> takes.</summary>
    IReadOnlyList<string> Protocols { get; }

    /// <summary>What can go wrong here.</summary>
    IReadOnlyList<IFault> Faults { get; }

    /// <summary>Starts everything and waits until it is ready.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>A client of one protocol; successive ones talk to the servers by turns.</summary>
    IStoreClient Connect(string protocol);

    /// <summary>Every server that clients talk to, over every protocol.</summary>
    IReadOnlyList<Entrance> Entrances { get; }

    /// <summary>Heals what is broken, starts what is dead, and waits until every server is ready.</summary>
    Task HealAsync(CancellationToken cancellationToken);

    /// <summary>Ends every server with SIGTERM and starts it again: what is read afterwards comes from the journal.</summary>
    Task RestartAsync(CancellationToken cancellationToken);

    /// <summary>Reads the whole journal back: every agent, every commit, the feed.</summary>
    IEvidenceReader Evidence { get; }

    /// <summary>How often each process was started and how it ended, a line each.</summary>
    IReadOnlyList<string> Lives { get; }

    /// <summary>Processes that broke down by themselves, with a signal or an unhandled exception; no fault makes that right.</summary>
    IReadOnlyList<string> Breakdowns { get; }

    /// <summary>Servers that SIGTERM did not end within a minute, and that were killed then.</summary>
    IReadOnlyList<StuckDrain> StuckDrains { get; }

    /// <summary>What the processes printed: for the report of a failure.</summary>
    string Output { get; }
}

/// <summary>A server that did not end when it was told to.</summary>
/// <param name="Server">For instance <c>server 2</c>.</param>
/// <param name="From">When it was told, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> has it.</param>
/// <param name="To">When it was killed.</param>
public sealed record StuckDrain(string Server, long From, long To);

/// <summary>A way in.</summary>
/// <param name="Server">For instance <c>server 2</c>.</param>
/// <param name="Protocol">http, grpc or grains.</param>
/// <param name="Connect">A new client of this server.</param>
public sealed record Entrance(string Server, string Protocol, Func<IStoreClient> Connect);

/// <summary>Reads what a run left, page by page, over HTTP.</summary>
public interface IEvidenceReader
{
    Task<Checker.RunEvidence> ReadAsync(History.Recorder recorder, IEnumerable<History.AgentName> agents, CancellationToken cancellationToken);
}
