using System.Globalization;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>The refusals of executions. Every SH-1001 says the status; what else is in its details depends on the reason.</summary>
internal static class ExecutionRefusals
{
    public static RefusedException Unknown(AgentId agent) => RefusedException.NotFound($"execution \"{agent.Name}\" in namespace \"{agent.Namespace}\"");

    public static StateConflictException Status(ExecutionView view, string what) =>
        Conflict(view, $"{what} is not allowed: execution \"{view.Agent.Name}\" is {view.Run.Status.Text()}.");

    public static StateConflictException Step(ExecutionView view, long step) =>
        Conflict(
            view,
            $"Step {Text(step)} of execution \"{view.Agent.Name}\" is {(step == view.Mark.Step ? "there with other content" : "below the last one")}; "
            + $"the next must be above {Text(view.Mark.Step ?? -1)}.",
            ("step", Text(view.Mark.Step ?? -1)), ("given", Text(step)));

    public static StateConflictException Token(ExecutionView view, long? given)
    {
        string newest = Text(view.Run.Token);
        string why = given switch
        {
            null => $"a worker holds it under token {newest}, and none was given",
            { } token when token == view.Run.Token => $"the lease of token {newest} was ended",
            { } token => $"token {Text(token)} is not its newest, which is {newest}",
        };
        return Conflict(view, $"Execution \"{view.Agent.Name}\" cannot be written so: {why}.", ("token", newest), ("given", given is { } g ? Text(g) : ""));
    }

    public static StateConflictException SnapshotTaken(ExecutionView view, string name) =>
        Conflict(view, $"Execution \"{view.Agent.Name}\" has a snapshot \"{name}\" already.", ("snapshot", name));

    public static StateConflictException NoState(ExecutionView view) =>
        Conflict(view, $"Execution \"{view.Agent.Name}\" has no checkpoint yet.");

    public static RefusedException NoStep(AgentId agent, long step) =>
        RefusedException.NotFound($"step {Text(step)} of execution \"{agent.Name}\"");

    public static RefusedException NoSnapshot(AgentId agent, string name) =>
        RefusedException.NotFound($"snapshot \"{name}\" of execution \"{agent.Name}\"");

    public static RefusedException Thinned(AgentId agent, long step, long? nearest) =>
        new(ErrorCode.HistoryTrimmed, $"The state of step {Text(step)} of execution \"{agent.Name}\" was thinned"
            + (nearest is { } other ? $"; that of step {Text(other)} is still there." : "."))
        {
            Details = nearest is { } step2
                ? new Dictionary<string, string> { ["step"] = Text(step), ["nearest_step"] = Text(step2) }
                : new Dictionary<string, string> { ["step"] = Text(step) },
        };

    public static RefusedException OtherCreation(AgentId agent) =>
        new(ErrorCode.IdempotencyKeyReused, $"Execution \"{agent.Name}\" was created with other content.")
        {
            Details = new Dictionary<string, string> { ["field"] = "execution_id", ["value"] = agent.Name },
        };

    public static RefusedException KeyReused(AgentId agent, string key) =>
        new(ErrorCode.IdempotencyKeyReused, $"The idempotency key \"{key}\" was used for another request to execution \"{agent.Name}\".")
        {
            Details = new Dictionary<string, string> { ["field"] = "idempotency_key", ["value"] = key },
        };

    public static StateConflictException Conflict(ExecutionView view, string message, params ReadOnlySpan<(string Name, string Value)> more)
    {
        var details = new Dictionary<string, string>
        {
            ["namespace"] = view.Agent.Namespace,
            ["execution_id"] = view.Agent.Name,
            ["status"] = view.Run.Status.Text(),
        };
        foreach ((string name, string value) in more)
            details[name] = value;
        return new StateConflictException(message) { Details = details };
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static RefusedException TooManyRestores(ExecutionView view, int restoresMax) =>
        new(ErrorCode.LimitExceeded, $"Execution \"{view.Agent.Name}\" was restored {view.Run.Restores.Length} times; more than {restoresMax} are not kept.");
}
