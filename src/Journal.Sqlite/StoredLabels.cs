using System.Collections.Immutable;
using System.Text.Json;

namespace Statehouse.Journal.Sqlite;

/// <summary>The column <c>labels</c> of <c>agent_index</c>: a JSON array of texts.</summary>
internal static class StoredLabels
{
    public static byte[] Encode(ImmutableArray<string> labels) => JsonSerializer.SerializeToUtf8Bytes(labels);

    /// <exception cref="InvariantBrokenException">SH-9001. It is damaged.</exception>
    public static ImmutableArray<string> Decode(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<ImmutableArray<string>>(json);
        }
        catch (JsonException error)
        {
            throw new InvariantBrokenException("The index holds labels that are no JSON array: it is damaged.", error);
        }
    }
}
