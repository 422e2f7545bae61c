using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Statehouse.Agents;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>
/// The JSON of <see cref="ExecutionRun"/>: what is absent, null or 0 by default is left out. Unknown members are passed
/// over: a newer writer may have added some.
/// </summary>
public static class RunCodec
{
    // An agent's states share their entries, so one that was parsed is known by its identity as long as it lives.
    private static readonly ConditionalWeakTable<KeyEntry, ExecutionRun> Parsed = new();

    /// <summary>The run in an entry, parsed once per entry.</summary>
    public static ExecutionRun Known(KeyEntry entry) => Parsed.GetValue(entry, static e => Parse(e.Value));

    public static JsonText ToJson(ExecutionRun run)
    {
        var output = new ArrayBufferWriter<byte>(512);
        output.WriteRaw("{\"workflow\":"u8);
        output.WriteString(run.Workflow);
        output.WriteRaw(",\"status\":"u8);
        output.WriteString(run.Status.Text());
        if (run.Labels.Length > 0)
            Labels(output, run.Labels);
        Number(output, "attempt"u8, run.Attempt);
        Number(output, "max_attempts"u8, run.MaxAttempts);
        Number(output, "created_at"u8, run.CreatedAt.UnixMicroseconds);
        Number(output, "started_at"u8, run.StartedAt?.UnixMicroseconds ?? 0);
        Number(output, "finished_at"u8, run.FinishedAt?.UnixMicroseconds ?? 0);
        if (!run.Error.IsAbsent)
        {
            output.WriteRaw(",\"error\":"u8);
            output.WriteRaw(run.Error.Utf8);
        }
        Number(output, "has_result"u8, run.HasResult ? 1 : 0);
        Number(output, "token"u8, run.Token);
        Text(output, "worker"u8, run.Worker);
        Number(output, "due_at"u8, run.DueAt?.UnixMicroseconds ?? 0);
        Number(output, "checkpoint_interval"u8, run.Settings.CheckpointInterval);
        Number(output, "checkpoint_retention"u8, run.Settings.CheckpointRetention);
        Number(output, "recovery_timeout_ms"u8, run.Settings.RecoveryTimeoutMs);
        if (run.Restores.Length > 0)
            Restores(output, run.Restores);
        Number(output, "snapshots"u8, run.SnapshotCount);
        Text(output, "reason"u8, run.Reason);
        Text(output, "creation"u8, run.Creation);
        output.WriteRaw("}"u8);
        return JsonText.Trusted(output.WrittenSpan.ToArray());
    }

    /// <exception cref="InvariantBrokenException">SH-9001. Not what <see cref="ToJson"/> writes.</exception>
    public static ExecutionRun Parse(JsonText json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.Memory, new JsonDocumentOptions { MaxDepth = 1024 });
            return Parse(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvariantBrokenException("The description of an execution cannot be read.", error);
        }
    }

    private static ExecutionRun Parse(JsonElement root)
    {
        if (!ExecutionStatuses.TryParse(root.GetProperty("status").GetString()!, out ExecutionStatus status))
            throw new FormatException("Not a status.");
        return new ExecutionRun
        {
            Workflow = root.GetProperty("workflow").GetString()!,
            Status = status,
            Labels = root.TryGetProperty("labels", out JsonElement labels)
                ? [.. labels.EnumerateObject().Select(label => KeyValuePair.Create(label.Name, label.Value.GetString()!))]
                : [],
            Attempt = (int)Number(root, "attempt"),
            MaxAttempts = (int)Number(root, "max_attempts"),
            CreatedAt = new CommitTime(Number(root, "created_at")),
            StartedAt = Time(root, "started_at"),
            FinishedAt = Time(root, "finished_at"),
            Error = root.TryGetProperty("error", out JsonElement error)
                ? JsonText.Trusted(System.Text.Encoding.UTF8.GetBytes(error.GetRawText()))
                : default,
            HasResult = Number(root, "has_result") != 0,
            Token = Number(root, "token"),
            Worker = Text(root, "worker"),
            DueAt = Time(root, "due_at"),
            Settings = new ExecutionSettings(
                (int)Number(root, "checkpoint_interval"), (int)Number(root, "checkpoint_retention"), (int)Number(root, "recovery_timeout_ms")),
            Restores = root.TryGetProperty("restores", out JsonElement restores)
                ? [.. restores.EnumerateArray().Select(mark => new RestoreMark(new AgentVersion(mark[0].GetInt64()), mark[1].GetInt64()))]
                : [],
            SnapshotCount = (int)Number(root, "snapshots"),
            Reason = Text(root, "reason"),
            Creation = Text(root, "creation") ?? "",
        };
    }

    private static void Labels(ArrayBufferWriter<byte> output, ImmutableArray<KeyValuePair<string, string>> labels)
    {
        output.WriteRaw(",\"labels\":"u8);
        WriteLabels(output, labels);
    }

    internal static void WriteLabels(ArrayBufferWriter<byte> output, ImmutableArray<KeyValuePair<string, string>> labels)
    {
        output.WriteRaw("{"u8);
        for (int i = 0; i < labels.Length; i++)
        {
            if (i > 0)
                output.WriteRaw(","u8);
            output.WriteString(labels[i].Key);
            output.WriteRaw(":"u8);
            output.WriteString(labels[i].Value);
        }
        output.WriteRaw("}"u8);
    }

    private static void Restores(ArrayBufferWriter<byte> output, ImmutableArray<RestoreMark> restores)
    {
        output.WriteRaw(",\"restores\":["u8);
        for (int i = 0; i < restores.Length; i++)
        {
            output.WriteRaw(i > 0 ? ",["u8 : "["u8);
            output.WriteNumber(restores[i].Version.Value);
            output.WriteRaw(","u8);
            output.WriteNumber(restores[i].Step);
            output.WriteRaw("]"u8);
        }
        output.WriteRaw("]"u8);
    }

    private static void Number(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, long value)
    {
        if (value == 0)
            return;
        output.WriteRaw(",\""u8);
        output.WriteRaw(name);
        output.WriteRaw("\":"u8);
        output.WriteNumber(value);
    }

    private static void Text(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
            return;
        output.WriteRaw(",\""u8);
        output.WriteRaw(name);
        output.WriteRaw("\":"u8);
        output.WriteString(value);
    }

    private static long Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;

    private static CommitTime? Time(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) ? new CommitTime(value.GetInt64()) : null;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
