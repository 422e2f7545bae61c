using System.Text.Encodings.Web;
using System.Text.Json;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Clients;

/// <summary>Request bodies of HTTP v1. Values go out byte for byte as the call has them.</summary>
internal static class HttpBodies
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>For <c>POST …/agents/{agent}/commits</c>.</summary>
    public static byte[] Commit(Share share, string? idempotencyKey) => Write(json =>
    {
        json.WriteStartObject();
        ShareMembers(json, share);
        IdempotencyKey(json, idempotencyKey);
        json.WriteEndObject();
    });

    /// <summary>For <c>POST /v1/commits</c>.</summary>
    public static byte[] Commits(IReadOnlyList<Share> shares, string? idempotencyKey) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("commits");
        foreach (Share share in shares)
        {
            json.WriteStartObject();
            Agent(json, share.Agent);
            ShareMembers(json, share);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        IdempotencyKey(json, idempotencyKey);
        json.WriteEndObject();
    });

    /// <summary>For <c>POST /v1/transactions/{txn}/operations</c>.</summary>
    public static byte[] Staged(IReadOnlyList<Share> shares) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("operations");
        foreach (Share share in shares)
        {
            if (share.IfAgentVersion is not null)
                throw new NotSupportedException("A staged operation cannot say if_agent_version.");
            foreach (Write write in share.Writes)
            {
                json.WriteStartObject();
                Agent(json, share.Agent);
                WriteMembers(json, write);
                json.WriteEndObject();
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void ShareMembers(Utf8JsonWriter json, Share share)
    {
        json.WriteStartArray("operations");
        foreach (Write write in share.Writes)
        {
            json.WriteStartObject();
            WriteMembers(json, write);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (share.IfAgentVersion is { } version)
            json.WriteNumber("if_agent_version", version);
    }

    private static void WriteMembers(Utf8JsonWriter json, Write write)
    {
        json.WriteString("op", write.Value is null ? "delete" : "put");
        json.WriteString("key", write.Key);
        if (write.Value is not null)
        {
            json.WritePropertyName("value");
            json.WriteRawValue(write.Value, skipInputValidation: true);
        }
        if (write.IfVersion is { } version)
            json.WriteNumber("if_version", version);
    }

    private static void Agent(Utf8JsonWriter json, AgentName agent)
    {
        json.WriteString("namespace", agent.Namespace);
        json.WriteString("agent", agent.Id);
    }

    private static void IdempotencyKey(Utf8JsonWriter json, string? key)
    {
        if (key is not null)
            json.WriteString("idempotency_key", key);
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        return buffer.ToArray();
    }
}
