using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>Cuts a member out of an object without reading it into anything: its text stays what it was.</summary>
internal static class JsonMember
{
    /// <exception cref="CommandFailure">This is no object, or it has no such member.</exception>
    public static ReadOnlyMemory<byte> Text(ReadOnlyMemory<byte> json, string name) =>
        Find(json, name) is { IsEmpty: false } text ? text : throw CommandFailure.Refused($"the server's answer has no {name}");

    /// <returns>Empty where there is no such member.</returns>
    /// <exception cref="CommandFailure">This is no JSON object.</exception>
    public static ReadOnlyMemory<byte> Find(ReadOnlyMemory<byte> json, string name)
    {
        try
        {
            var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = 100_000 });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isIt = reader.ValueTextEquals(name);
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isIt)
                    return json[start..(int)reader.BytesConsumed];
            }
            return default;
        }
        catch (JsonException error)
        {
            throw CommandFailure.Refused($"this is not JSON: {error.Message}");
        }
    }

    /// <summary>A string member's text; null where it is absent.</summary>
    /// <exception cref="CommandFailure">It is no string, or no well-formed one.</exception>
    public static string? FindString(ReadOnlyMemory<byte> json, string name)
    {
        ReadOnlyMemory<byte> text = Find(json, name);
        try
        {
            return text.IsEmpty ? null : JsonSerializer.Deserialize<string>(text.Span);
        }
        catch (JsonException error)
        {
            throw CommandFailure.Refused($"{name} is no string: {error.Message}");
        }
    }

    /// <summary>For a line for people: a string's own text, anything else as it stands; empty where it is absent or null.</summary>
    public static string Shown(ReadOnlyMemory<byte> json, string name)
    {
        ReadOnlyMemory<byte> text = Find(json, name);
        if (text.IsEmpty || text.Span.SequenceEqual("null"u8))
            return "";
        return text.Span[0] == '"' ? Printable.OneLine(FindString(json, name)!) : Printable.Json(text.Span);
    }
}
