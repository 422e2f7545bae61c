using System.Buffers;
using System.Text.Json;
using Statehouse.Agents;
using Statehouse.Agents.Codec;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>The value of a key <c>snapshot/&lt;name&gt;</c>: which checkpoint has that name.</summary>
/// <param name="Name">1..256 bytes.</param>
/// <param name="Step">Of the checkpoint.</param>
/// <param name="Version">Its commit.</param>
/// <param name="Time">Of that commit.</param>
/// <param name="StateBytes">Of its state's JSON text.</param>
public sealed record SnapshotLabel(string Name, long Step, AgentVersion Version, CommitTime Time, long StateBytes)
{
    /// <summary>Of one execution.</summary>
    public const int CountMax = 100;

    public JsonText ToJson()
    {
        var output = new ArrayBufferWriter<byte>(96);
        output.WriteRaw("{\"step\":"u8);
        output.WriteNumber(Step);
        output.WriteRaw(",\"version\":"u8);
        output.WriteNumber(Version.Value);
        output.WriteRaw(",\"time\":"u8);
        output.WriteNumber(Time.UnixMicroseconds);
        output.WriteRaw(",\"state_bytes\":"u8);
        output.WriteNumber(StateBytes);
        output.WriteRaw("}"u8);
        return JsonText.Trusted(output.WrittenMemory);
    }

    public static SnapshotLabel Parse(string name, JsonText json)
    {
        using JsonDocument document = JsonDocument.Parse(json.Memory);
        JsonElement root = document.RootElement;
        return new SnapshotLabel(
            name, root.GetProperty("step").GetInt64(), new AgentVersion(root.GetProperty("version").GetInt64()),
            new CommitTime(root.GetProperty("time").GetInt64()), root.GetProperty("state_bytes").GetInt64());
    }
}
