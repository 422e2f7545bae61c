namespace Statehouse.Executions;

/// <content>Checkpoints that wait in memory.</content>
public sealed partial class ExecutionService
{
    /// <summary>Checkpoints that wait now.</summary>
    public long BufferedCount => 0;
}
