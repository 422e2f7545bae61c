using System.Text;

namespace Statehouse.Executions.Tests;

/// <summary>Executions as rules see them.</summary>
internal static class Views
{
    public static readonly CommitTime Now = CommitTime.From(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public static readonly AgentId Agent = ExecutionKeys.Agent("default", "run-7");

    public static ExecutionView View(
        ExecutionStatus status, long? step = 5, string? worker = null, long token = 0, CommitTime? dueAt = null, int attempt = 0) => new(
        Agent,
        new ExecutionRun
        {
            Workflow = "refund", Status = status, Worker = worker, Token = token, DueAt = dueAt, Attempt = attempt, CreatedAt = Now, Creation = "c",
        },
        new StepMark(step, step is null ? 0 : 3, 2, step is null ? 0 : 1), new AgentVersion(9), new CommitTs(90), Now, RunIsNewest: true);

    public static CommitTime After(long milliseconds) => ExecutionView.Later(Now, milliseconds);

    public static JsonText Json(string text) => JsonText.Parse("state", Encoding.UTF8.GetBytes(text), 64);
}
