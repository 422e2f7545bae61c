using System.Text.Json;

namespace Statehouse.Tidy;

/// <summary>JSON as a document shows it: a part of the whole, with "…" for anything.</summary>
internal static class JsonPattern
{
    private const string Anything = "…";

    /// <returns>The first place where the answer is not as shown; null where there is none.</returns>
    public static string? Difference(string path, JsonElement shown, JsonElement answer)
    {
        if (shown.ValueKind == JsonValueKind.String && shown.GetString() == Anything)
            return null;
        if (shown.ValueKind != answer.ValueKind)
            return $"{path} is {answer}, not {shown}";
        return shown.ValueKind switch
        {
            JsonValueKind.Object => ObjectDifference(path, shown, answer),
            JsonValueKind.Array => ArrayDifference(path, shown, answer),
            JsonValueKind.String when TextPattern.Matches(shown.GetString()!, answer.GetString()!) => null,
            // The text, not the number: 1.50 must come back as 1.50.
            _ when shown.GetRawText() == answer.GetRawText() => null,
            _ => $"{path} is {answer.GetRawText()}, not {shown.GetRawText()}",
        };
    }

    private static string? ObjectDifference(string path, JsonElement shown, JsonElement answer)
    {
        foreach (JsonProperty member in shown.EnumerateObject().Where(member => member.Name != Anything))
        {
            if (!answer.TryGetProperty(member.Name, out JsonElement value))
                return $"{path} has no {member.Name}";
            if (Difference($"{path}.{member.Name}", member.Value, value) is { } difference)
                return difference;
        }
        return null;
    }

    private static string? ArrayDifference(string path, JsonElement shown, JsonElement answer)
    {
        List<JsonElement> items = shown.EnumerateArray().ToList();
        bool more = items.Count > 0 && items[^1].ValueKind == JsonValueKind.String && items[^1].GetString() == Anything;
        if (more)
            items.RemoveAt(items.Count - 1);
        int count = answer.GetArrayLength();
        if (more ? count < items.Count : count != items.Count)
            return $"{path} has {count} items, not {items.Count}";
        return items.Select((item, i) => Difference($"{path}[{i}]", item, answer[i])).FirstOrDefault(d => d is not null);
    }
}
