using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Workloads;

/// <summary>An endless sequence of requests, the same for every target and every run with the same seed.</summary>
internal interface IWorkload
{
    /// <summary>For the case's name, for instance <c>200 B, 10,000 agents</c>.</summary>
    string Name { get; }

    /// <summary>What it asks for; a target must answer all of it.</summary>
    IReadOnlySet<RequestKind> Asks { get; }

    /// <summary>What is counted per second: <c>commits</c>, <c>reads</c>, …</summary>
    string Unit { get; }

    /// <summary>Requests to make before the first is measured, in any order: they write what it reads.</summary>
    IEnumerable<Request> Preparation { get; }

    /// <param name="number">0, 1, 2, … over all sessions and runs of a case. Called by many threads at once.</param>
    Request Request(long number);
}
