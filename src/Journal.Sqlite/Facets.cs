using System.Collections.Immutable;
using System.Text.Json;

namespace Statehouse.Journal.Sqlite;

/// <summary>What the table <c>agent_facet</c> holds: an agent's group and labels, told apart by their first letter.</summary>
internal static class Facets
{
    public static ImmutableArray<string> Of(string? group, ImmutableArray<string> labels)
    {
        IEnumerable<string> ofLabels = labels.Select(label => "l" + label);
        return group is null ? [.. ofLabels] : [.. ofLabels.Prepend("g" + group)];
    }

    /// <summary>From the column <c>labels</c>.</summary>
    /// <exception cref="InvariantBrokenException">SH-9001. It is damaged.</exception>
    public static ImmutableArray<string> Labels(ReadOnlySpan<byte> json)
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
