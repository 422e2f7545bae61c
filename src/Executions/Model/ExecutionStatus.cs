namespace Statehouse.Executions;

/// <summary>Where an execution stands. Stored as a number in the index: never renumber.</summary>
public enum ExecutionStatus : byte
{
    Pending = 0,
    Running = 1,
    Paused = 2,
    Completed = 3,
    Failed = 4,
    Cancelled = 5,
}

public static class ExecutionStatuses
{
    private static readonly string[] Texts = ["pending", "running", "paused", "completed", "failed", "cancelled"];

    /// <summary>As on every wire.</summary>
    public static string Text(this ExecutionStatus status) => Texts[(int)status];

    public static bool TryParse(string text, out ExecutionStatus status)
    {
        int index = Array.IndexOf(Texts, text);
        status = (ExecutionStatus)Math.Max(index, 0);
        return index >= 0;
    }

    /// <summary>Nothing but a restore leads out of it.</summary>
    public static bool IsFinal(this ExecutionStatus status) => status >= ExecutionStatus.Completed;

    /// <summary>All of them, for messages.</summary>
    public static string All => string.Join(", ", Texts);
}
