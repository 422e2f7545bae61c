using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>Sets JSON out over lines. Numbers and strings stay the text that they are: only white space is ours.</summary>
internal static class JsonIndent
{
    private const int SpacesPerLevel = 2;

    public static void Write(OutputWriter output, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 100_000 });
        JsonTokenType before = JsonTokenType.None;
        while (reader.Read())
        {
            JsonTokenType token = reader.TokenType;
            bool closes = token is JsonTokenType.EndObject or JsonTokenType.EndArray;
            bool opened = before is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if (before == JsonTokenType.PropertyName)
                output.Bytes(": "u8);
            else if (!(closes && opened) && before != JsonTokenType.None)
                Break(output, comma: !opened && !closes, reader.CurrentDepth);
            output.Guarded(Text(json, reader));
            before = token;
        }
        output.Bytes("\n"u8);
    }

    private static void Break(OutputWriter output, bool comma, int depth)
    {
        if (comma)
            output.Bytes(","u8);
        output.Text("\n" + new string(' ', depth * SpacesPerLevel));
    }

    /// <summary>A token as it stands in the text, with a string's quotes.</summary>
    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> json, in Utf8JsonReader reader)
    {
        bool isQuoted = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName;
        return json.Slice((int)reader.TokenStartIndex, reader.ValueSpan.Length + (isQuoted ? 2 : 0));
    }
}
