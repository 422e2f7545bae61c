using System.Text.Json;

namespace Statehouse.Tidy;

/// <summary>Routes as <c>METHOD /path/{parameter}</c>.</summary>
internal static class OpenApiRoutes
{
    /// <summary>What the documents write for a path.</summary>
    private static readonly Dictionary<string, string> Abbreviated = new()
    {
        ["A"] = "/v1/namespaces/{ns}/agents/{agent}",
        ["E"] = "/v1/namespaces/{ns}/executions",
        ["X"] = "/v1/namespaces/{ns}/executions/{execution}",
    };

    public static IEnumerable<string> In(string openApi)
    {
        using JsonDocument document = JsonDocument.Parse(openApi);
        return document.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject()
                .Where(member => member.Name is "get" or "put" or "post" or "delete")
                .Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"))
            .ToList();
    }

    public static string Expand(string path)
    {
        string first = path.Split('/', 2)[0];
        return Abbreviated.TryGetValue(first, out string? whole) ? whole + path[first.Length..] : path;
    }
}
