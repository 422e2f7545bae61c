using System.Text.Json;

namespace Statehouse.Tidy;

/// <summary>Routes as <c>METHOD /path/{parameter}</c>.</summary>
internal static class OpenApiRoutes
{
    private const string Agent = "/v1/namespaces/{ns}/agents/{agent}";

    public static IEnumerable<string> In(string openApi)
    {
        using JsonDocument document = JsonDocument.Parse(openApi);
        return document.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject()
                .Where(member => member.Name is "get" or "put" or "post" or "delete")
                .Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"))
            .ToList();
    }

    /// <summary>The document writes <c>A</c> for the path of an agent.</summary>
    public static string Expand(string path) =>
        path == "A" || path.StartsWith("A/", StringComparison.Ordinal) ? Agent + path[1..] : path;
}
