using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>What a rule makes of a request: operations to commit on exactly the version decided on, or a refusal.</summary>
/// <param name="Operations">Empty where refused.</param>
/// <param name="Run">After the commit.</param>
/// <param name="Mark">After the commit.</param>
/// <param name="Refusal">Why not. It may rest on a view that is no longer the newest: look again before telling.</param>
public sealed record ExecutionDecision(
    ImmutableArray<Operation> Operations, ExecutionRun Run, StepMark Mark, StatehouseException? Refusal = null)
{
    /// <summary>The step is the last one: where its content is the same too, the first receipt answers; else <see cref="Refusal"/>.</summary>
    public bool MayBeRepeat { get; init; }

    public bool WritesRun { get; init; }

    internal static ExecutionDecision Refuse(ExecutionView view, StatehouseException refusal) => new([], view.Run, view.Mark, refusal);

    /// <summary>Writes the run, and the step as every commit does; then what else there is.</summary>
    internal static ExecutionDecision Write(ExecutionRun run, StepMark mark, params ReadOnlySpan<Operation> more)
    {
        ImmutableArray<Operation> operations = [Put(ExecutionKeys.Run, RunCodec.ToJson(run)), Put(ExecutionKeys.Step, mark.ToJson()), .. more];
        return new ExecutionDecision(operations, run, mark) { WritesRun = true };
    }

    internal static Operation Put(Key key, JsonText value) => new(OperationKind.Put, key, value);

    /// <summary>The state is kept beside its commit, so that it can be let go of when it is old.</summary>
    /// <param name="state">The new one.</param>
    /// <param name="isWhole">Never as a difference to the one before: what stands before it can be let go of.</param>
    internal static Operation PutState(JsonText state, bool isWhole) =>
        new(OperationKind.Put, ExecutionKeys.State, state) { IsDetached = true, IsWhole = isWhole };
}
