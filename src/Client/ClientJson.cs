using System.Text.Json;
using System.Text.Json.Serialization;

namespace Statehouse.Client;

/// <summary>HTTP v1's JSON: snake_case members, statuses in lower case. States go through the caller's own options.</summary>
internal static class ClientJson
{
    private const int DepthMax = 1_000;

    public static JsonSerializerOptions Wire { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        MaxDepth = DepthMax,
        Converters = { new JsonStringEnumConverter<ExecutionStatus>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public static JsonElement Parse(byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = DepthMax });
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new StatehouseException("The server answered with something that is not JSON.", inner: error);
        }
    }

    public static T Read<T>(JsonElement body)
    {
        try
        {
            return body.Deserialize<T>(Wire) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new StatehouseException($"The server's answer is no {typeof(T).Name}: {error.Message}", inner: error);
        }
    }

    public static JsonElement Member(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out JsonElement member)
            ? member
            : throw new StatehouseException($"The server's answer has no {name}.");

    /// <summary>A body of members, those that are null left out; a state's text is copied as it is.</summary>
    public static byte[] Body(params IEnumerable<(string Name, object? Value)> members)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach ((string name, object? value) in members)
            {
                if (value is null)
                    continue;
                writer.WritePropertyName(name);
                Write(writer, value);
            }
            writer.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, object value)
    {
        if (value is byte[] text)
            writer.WriteRawValue(text);
        else
            JsonSerializer.Serialize(writer, value, value.GetType(), Wire);
    }
}
