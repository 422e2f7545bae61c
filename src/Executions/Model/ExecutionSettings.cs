using System.Globalization;
using Statehouse.Agents;

namespace Statehouse.Executions;

/// <summary>What an execution was told at its creation. The defaults and bounds are those of docs/executions.md.</summary>
/// <param name="CheckpointInterval">At most every so many checkpoints is kept whole: 1..10,000.</param>
/// <param name="CheckpointRetention">Checkpoints whose state can be loaded, at least; 0 = all, else 1..1,000,000.</param>
/// <param name="RecoveryTimeoutMs">How long a lease lasts after a sign of life: 100..86,400,000.</param>
public sealed record ExecutionSettings(
    int CheckpointInterval = 10, int CheckpointRetention = 100, int RecoveryTimeoutMs = 300_000)
{
    public const int MaxAttemptsDefault = 3;

    public static readonly ExecutionSettings Default = new();

    /// <exception cref="RefusedException">SH-1003.</exception>
    public void Check()
    {
        InRange("settings.checkpoint_interval", CheckpointInterval, 1, 10_000);
        InRange("settings.checkpoint_retention", CheckpointRetention, 0, 1_000_000);
        InRange("settings.recovery_timeout_ms", RecoveryTimeoutMs, 100, 86_400_000);
    }

    internal static void InRange(string field, long value, long min, long max)
    {
        if (value < min || value > max)
            throw RefusedException.Invalid(
                field, string.Create(CultureInfo.InvariantCulture, $"an integer from {min} to {max}"),
                value.ToString(CultureInfo.InvariantCulture));
    }
}
