using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Statehouse.Agents;

/// <summary>Refuses what must not enter a journal as JSON, without building a document.</summary>
internal static class JsonChecker
{
    private const int FewNames = 8;

    /// <exception cref="RefusedException">SH-1003.</exception>
    public static void Check(string field, ReadOnlySpan<byte> utf8, int depthMax)
    {
        if (utf8.IsEmpty)
            throw RefusedException.Invalid(field, "a JSON value", "empty");
        if (!Utf8.IsValid(utf8))
            throw RefusedException.Invalid(field, "valid UTF-8", "not");
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = depthMax });
            reader.Read();
            CheckValue(field, ref reader);
            if (reader.Read())
                throw RefusedException.Invalid(field, "one JSON value", "more than one");
        }
        catch (JsonException error)
        {
            string where = string.Create(
                CultureInfo.InvariantCulture, $"not: line {error.LineNumber + 1}, byte {error.BytePositionInLine}: {Reason(error, depthMax)}");
            throw RefusedException.Invalid(field, $"valid JSON with at most {depthMax} levels of nesting", where);
        }
    }

    /// <summary>The parser's reason without its own position suffix.</summary>
    private static string Reason(JsonException error, int depthMax)
    {
        string message = error.Message;
        int suffix = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (suffix >= 0)
            message = message[..suffix];
        return message.Contains("depth", StringComparison.OrdinalIgnoreCase) ? $"nested deeper than {depthMax} levels" : message;
    }

    private static void CheckValue(string field, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                CheckObject(field, ref reader);
                break;
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    CheckValue(field, ref reader);
                break;
            case JsonTokenType.String when reader.ValueIsEscaped:
                Unescape(field, ref reader);
                break;
        }
    }

    private static void CheckObject(string field, ref Utf8JsonReader reader)
    {
        List<string>? few = null;
        HashSet<string>? many = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = Unescape(field, ref reader);
            bool seen = many is not null
                ? !many.Add(name)
                : (few ??= []).Contains(name);
            if (seen)
                throw RefusedException.Invalid(field, "JSON without a member name twice in one object", $"one with \"{Shown(name)}\" twice");
            if (many is null)
            {
                few!.Add(name);
                if (few.Count == FewNames)
                    many = new HashSet<string>(few, StringComparer.Ordinal);
            }
            reader.Read();
            CheckValue(field, ref reader);
        }
    }

    private static string Unescape(string field, ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw RefusedException.Invalid(field, "JSON whose strings are well-formed Unicode", "one with an unpaired surrogate");
        }
    }

    private static string Shown(string name) => name.Length <= 64 ? name : name[..64] + "…";
}
