using System.Text.Json;
using System.Text.RegularExpressions;

namespace Statehouse.Gateway.Tests.OpenApi;

/// <summary>
/// The part of JSON Schema that the API document uses, and stricter: a member that no schema names is a complaint, so
/// that nothing is answered that is not described.
/// </summary>
internal sealed class SchemaCheck(JsonElement document)
{
    /// <summary>Follows a <c>$ref</c> where there is one.</summary>
    public JsonElement Resolve(JsonElement schema)
    {
        if (!schema.TryGetProperty("$ref", out JsonElement reference))
            return schema;
        JsonElement found = document;
        foreach (string name in reference.GetString()![2..].Split('/'))
            found = found.GetProperty(name);
        return Resolve(found);
    }

    public IEnumerable<string> Complaints(JsonElement schema, JsonElement value, string at = "$")
    {
        schema = Resolve(schema);
        return [.. OfKind(schema, value, at), .. OfMembers(schema, value, at), .. OfItems(schema, value, at)];
    }

    private static IEnumerable<string> OfKind(JsonElement schema, JsonElement value, string at)
    {
        if (schema.TryGetProperty("type", out JsonElement type) && !Kinds(type).Any(kind => kind == KindOf(value, kind)))
            yield return $"{at} is {value.GetRawText()}, not of type {type}";
        if (schema.TryGetProperty("enum", out JsonElement choices) && !choices.EnumerateArray().Any(choice => JsonElement.DeepEquals(choice, value)))
            yield return $"{at} is {value.GetRawText()}, none of {choices}";
        if (schema.TryGetProperty("const", out JsonElement only) && !JsonElement.DeepEquals(only, value))
            yield return $"{at} is {value.GetRawText()}, not {only}";
        if (schema.TryGetProperty("pattern", out JsonElement pattern) && value.ValueKind == JsonValueKind.String && !Regex.IsMatch(value.GetString()!, pattern.GetString()!))
            yield return $"{at} is {value.GetRawText()}, not like {pattern}";
        if (schema.TryGetProperty("minimum", out JsonElement least) && value.ValueKind == JsonValueKind.Number && value.GetInt64() < least.GetInt64())
            yield return $"{at} is {value.GetRawText()}, less than {least}";
    }

    private static IEnumerable<string> Kinds(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(each => each.GetString()!) : [type.GetString()!];

    private static string KindOf(JsonElement value, string wanted) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number when wanted == "integer" && value.TryGetInt64(out _) => "integer",
        JsonValueKind.Number => "number",
        _ => "null",
    };

    private IEnumerable<string> OfMembers(JsonElement schema, JsonElement value, string at)
    {
        var known = new Dictionary<string, JsonElement>();
        var required = new List<string>();
        Collect(schema, known, required);
        if (value.ValueKind != JsonValueKind.Object || known.Count == 0)
            yield break;
        foreach (string missing in required.Where(name => !value.TryGetProperty(name, out _)))
            yield return $"{at} lacks {missing}";
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (!known.TryGetValue(member.Name, out JsonElement described))
            {
                yield return $"{at}.{member.Name} is not described";
                continue;
            }
            foreach (string complaint in Complaints(described, member.Value, $"{at}.{member.Name}"))
                yield return complaint;
        }
    }

    private void Collect(JsonElement schema, Dictionary<string, JsonElement> known, List<string> required)
    {
        schema = Resolve(schema);
        if (schema.TryGetProperty("properties", out JsonElement properties))
        {
            foreach (JsonProperty property in properties.EnumerateObject())
                known[property.Name] = property.Value;
        }
        if (schema.TryGetProperty("required", out JsonElement names))
            required.AddRange(names.EnumerateArray().Select(name => name.GetString()!));
        if (schema.TryGetProperty("allOf", out JsonElement parts))
        {
            foreach (JsonElement part in parts.EnumerateArray())
                Collect(part, known, required);
        }
    }

    private IEnumerable<string> OfItems(JsonElement schema, JsonElement value, string at) =>
        value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out JsonElement items)
            ? value.EnumerateArray().SelectMany((item, i) => Complaints(items, item, $"{at}[{i}]"))
            : [];
}
