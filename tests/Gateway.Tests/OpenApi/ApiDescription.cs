using System.Text;
using System.Text.Json;

namespace Statehouse.Gateway.Tests.OpenApi;

/// <summary>openapi.json as the server serves it, read as a rule for its answers.</summary>
internal sealed class ApiDescription
{
    public static readonly ApiDescription Served = new();

    private static readonly string[] Methods = ["get", "put", "post", "delete"];

    // Values may nest as deep as the server takes, inside of pages.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 100 };

    private readonly SchemaCheck _schemas;

    private ApiDescription()
    {
        Root = JsonDocument.Parse(Encoding.UTF8.GetString(OpenApiDocument.Utf8)).RootElement;
        _schemas = new SchemaCheck(Root);
    }

    public JsonElement Root { get; }

    /// <summary>Each operation with its template and method in capitals.</summary>
    public IEnumerable<(string Method, string Template, JsonElement Operation)> Operations =>
        from path in Root.GetProperty("paths").EnumerateObject()
        from member in path.Value.EnumerateObject()
        where Methods.Contains(member.Name)
        select (member.Name.ToUpperInvariant(), path.Name, member.Value);

    /// <summary>Parameters of an operation, those of its path included, by where they stand.</summary>
    public IEnumerable<string> Parameters(string template, JsonElement operation, string place)
    {
        JsonElement path = Root.GetProperty("paths").GetProperty(template);
        return ((JsonElement[])[path, operation])
            .Where(each => each.TryGetProperty("parameters", out _))
            .SelectMany(each => each.GetProperty("parameters").EnumerateArray())
            .Select(_schemas.Resolve)
            .Where(parameter => parameter.GetProperty("in").GetString() == place)
            .Select(parameter => parameter.GetProperty("name").GetString()!);
    }

    /// <summary>What is wrong with an answer; nothing where it is as described.</summary>
    public IEnumerable<string> Complaints(string method, string path, int status, string mediaType, string body)
    {
        if (method == "HEAD" && body.Length == 0)
            return [];
        if (status is 405 || Find(method == "HEAD" ? "GET" : method, path) is not { } operation)
            return status is 404 or 405 or 400 or 413 ? OfSchema("Problem", body) : [$"{method} {path} is not described"];
        JsonElement responses = operation.GetProperty("responses");
        bool isNamed = responses.TryGetProperty(status.ToString(System.Globalization.CultureInfo.InvariantCulture), out JsonElement response);
        if (!isNamed && !responses.TryGetProperty("default", out response))
            return [$"the status {status} is not described"];
        response = _schemas.Resolve(response);
        if (!response.TryGetProperty("content", out JsonElement content))
            return body.Length == 0 ? [] : ["a body is not described"];
        if (!content.TryGetProperty(mediaType, out JsonElement described))
            return [$"the media type '{mediaType}' is not described"];
        return mediaType.EndsWith("json", StringComparison.Ordinal)
            ? _schemas.Complaints(described.GetProperty("schema"), JsonDocument.Parse(body, Deep).RootElement)
            : [];
    }

    /// <summary>What is wrong with a JSON text that should be of one of the document's schemas.</summary>
    public IEnumerable<string> OfSchema(string schema, string json) => _schemas.Complaints(
        Root.GetProperty("components").GetProperty("schemas").GetProperty(schema), JsonDocument.Parse(json, Deep).RootElement);

    private JsonElement? Find(string method, string path)
    {
        string[] segments = path.Split('/');
        foreach ((string each, string template, JsonElement operation) in Operations)
        {
            string[] wanted = template.Split('/');
            if (each == method && wanted.Length == segments.Length
                && wanted.Zip(segments).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second))
                return operation;
        }
        return null;
    }
}
