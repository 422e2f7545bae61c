using System.Buffers;
using Statehouse.Agents.Codec;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>The execution object of docs/executions.md, as far as one version of it tells.</summary>
public static class ExecutionJson
{
    /// <summary>The members from <c>workflow</c> to <c>lease</c>, without a comma before or after.</summary>
    public static void Members(ArrayBufferWriter<byte> output, ExecutionView view)
    {
        ExecutionRun run = view.Run;
        output.WriteRaw("\"workflow\":"u8);
        output.WriteString(run.Workflow);
        output.WriteRaw(",\"status\":"u8);
        output.WriteString(run.Status.Text());
        output.WriteRaw(",\"step\":"u8);
        if (view.Mark.Step is { } step)
            output.WriteNumber(step);
        else
            output.WriteRaw("null"u8);
        Number(output, ",\"checkpoints\":"u8, view.Mark.Count);
        Number(output, ",\"state_bytes\":"u8, view.Mark.StateBytes);
        output.WriteRaw(",\"labels\":"u8);
        RunCodec.WriteLabels(output, run.Labels);
        Number(output, ",\"attempt\":"u8, run.Attempt);
        Number(output, ",\"max_attempts\":"u8, run.MaxAttempts);
        Time(output, ",\"created_at\":"u8, run.CreatedAt);
        Time(output, ",\"started_at\":"u8, run.StartedAt);
        Time(output, ",\"finished_at\":"u8, run.FinishedAt);
        output.WriteRaw(",\"error\":"u8);
        output.WriteRaw(run.Error.IsAbsent ? "null"u8 : run.Error.Utf8);
        if (run.Reason is not null)
        {
            output.WriteRaw(",\"reason\":"u8);
            output.WriteString(run.Reason);
        }
        output.WriteRaw(",\"lease\":"u8);
        Lease(output, view);
    }

    /// <summary><c>{"worker","token","until"}</c>, or null where nobody holds it.</summary>
    public static void Lease(ArrayBufferWriter<byte> output, ExecutionView view)
    {
        if (view.Run.Worker is not { } worker || view.DueAt is not { } until)
        {
            output.WriteRaw("null"u8);
            return;
        }
        output.WriteRaw("{\"worker\":"u8);
        output.WriteString(worker);
        Number(output, ",\"token\":"u8, view.Run.Token);
        Time(output, ",\"until\":"u8, until);
        output.WriteRaw("}"u8);
    }

    /// <summary>The execution's settings as a member, led by a comma.</summary>
    public static void Settings(ArrayBufferWriter<byte> output, ExecutionSettings settings)
    {
        Number(output, ",\"settings\":{\"checkpoint_interval\":"u8, settings.CheckpointInterval);
        Number(output, ",\"checkpoint_retention\":"u8, settings.CheckpointRetention);
        Number(output, ",\"recovery_timeout_ms\":"u8, settings.RecoveryTimeoutMs);
        output.WriteRaw("}"u8);
    }

    private static void Number(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, long value)
    {
        output.WriteRaw(name);
        output.WriteNumber(value);
    }

    private static void Time(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, CommitTime? time)
    {
        output.WriteRaw(name);
        if (time is not { } moment)
        {
            output.WriteRaw("null"u8);
            return;
        }
        Span<byte> text = output.GetSpan(40);
        text[0] = (byte)'"';
        moment.ToDateTimeOffset().TryFormat(
            text[1..], out int written, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        text[written + 1] = (byte)'"';
        output.Advance(written + 2);
    }
}
