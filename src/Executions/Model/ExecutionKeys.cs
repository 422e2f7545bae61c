using System.Text;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>The keys of an execution's agent, and what is named after them.</summary>
public static class ExecutionKeys
{
    /// <summary>Everything that changes rarely: <see cref="ExecutionRun"/>.</summary>
    public static readonly Key Run = new("run");

    /// <summary>Put by every commit: <see cref="StepMark"/>.</summary>
    public static readonly Key Step = new("step");

    /// <summary>The latest state, as the caller wrote it.</summary>
    public static readonly Key State = new("state");

    /// <summary>What a completed execution returned.</summary>
    public static readonly Key Result = new("result");

    /// <summary>Before the name of each named snapshot: <see cref="SnapshotLabel"/>.</summary>
    public static readonly Key SnapshotPrefix = new("snapshot/");

    public static Key Snapshot(string name) => new("snapshot/" + name);

    public static string SnapshotName(Key key) => Encoding.UTF8.GetString(key.Utf8[SnapshotPrefix.Length..]);

    public static AgentId Agent(string @namespace, string executionId) => new(AgentKind.Execution, @namespace, executionId);
}
