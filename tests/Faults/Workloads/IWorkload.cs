using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>A kind of use, with what must hold of it. One instance per run; its agents are its own.</summary>
public interface IWorkload
{
    /// <summary>For instance <c>registers</c>.</summary>
    string Name { get; }

    /// <summary>All agents that it writes.</summary>
    IReadOnlyList<AgentName> Agents { get; }

    /// <summary>Writes what the others start from, before any fault; not recorded as a client's unless through the recorder.</summary>
    Task PrepareAsync(IStoreClient client, Recorder recorder, CancellationToken cancellationToken);

    /// <summary>
    /// One client: makes calls until cancelled. After a call of unknown outcome it goes on as a new client
    /// (<see cref="Recorder.NewClient"/>), and pauses a moment where nothing answers.
    /// </summary>
    Task RunClientAsync(ClientSeat seat, CancellationToken cancellationToken);

    /// <summary>What only this workload knows must hold, beside linearizability and the journal's own rules.</summary>
    IEnumerable<Violation> Check(RunEvidence evidence);
}

/// <summary>What a workload's client works with.</summary>
/// <param name="Number">0, 1, 2, … within the workload.</param>
/// <param name="Random">Its own, seeded by the run's seed, the workload and the number.</param>
/// <param name="Recorder">Every call goes through it.</param>
/// <param name="Connect">A new client; the system decides which server it talks to, by turns.</param>
/// <param name="CallBound">How long a call may take before its client gives up.</param>
public sealed record ClientSeat(int Number, Random Random, Recorder Recorder, Func<IStoreClient> Connect, TimeSpan CallBound);
