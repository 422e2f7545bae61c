using System.Text.Json;

namespace Statehouse.Gateway.Tests.Hosting;

/// <summary>A whole answer.</summary>
internal sealed class Reply
{
    // Values may nest as deep as the server takes, inside of pages.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 100 };

    private readonly Dictionary<string, string> _headers = new(StringComparer.OrdinalIgnoreCase);
    private JsonElement? _json;

    private Reply(int status, string body)
    {
        Status = status;
        Body = body;
    }

    public int Status { get; }

    /// <summary>As it stood on the wire.</summary>
    public string Body { get; }

    public JsonElement Json => _json ??= JsonDocument.Parse(Body, Deep).RootElement;

    public static async Task<Reply> ReadAsync(HttpResponseMessage response)
    {
        var reply = new Reply(
            (int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        foreach ((string name, IEnumerable<string> values) in response.Headers.Concat(response.Content.Headers))
            reply._headers[name] = string.Join(", ", values);
        return reply;
    }

    /// <returns>null where it was not sent.</returns>
    public string? Header(string name) => _headers.GetValueOrDefault(name);

    public bool Has(string member) => Json.TryGetProperty(member, out _);

    public string Text(string member) => Json.GetProperty(member).GetString()!;

    public long Number(string member) => Json.GetProperty(member).GetInt64();

    /// <summary>The items of a page.</summary>
    public IReadOnlyList<JsonElement> Items => [.. Json.GetProperty("items").EnumerateArray()];

    /// <summary>One member of each item of a page, as text.</summary>
    public IEnumerable<string> Each(string member) => Items.Select(item => item.GetProperty(member).ToString());

    /// <summary>Fails the test, with what came instead, unless it has this status.</summary>
    public Reply Expect(int status)
    {
        Assert.True(Status == status, $"expected {status}, got {this}");
        return this;
    }

    /// <summary>A problem of this status and code, whose type, title and request id are what they must be.</summary>
    /// <param name="status">HTTP's.</param>
    /// <param name="code">Ours.</param>
    /// <param name="field">The field named in its details; null = not looked at.</param>
    public Reply ExpectProblem(int status, string code, string? field = null)
    {
        Expect(status);
        Assert.Equal("application/problem+json", Header("Content-Type"));
        Assert.Equal(code, Text("code"));
        Assert.Equal("/errors/" + code, Text("type"));
        Assert.Equal(status, Number("status"));
        Assert.Equal(Header("X-Request-Id"), Text("request_id"));
        if (field is not null)
            Assert.Equal(field, Json.GetProperty("details").GetProperty("field").GetString());
        return this;
    }

    public override string ToString() => $"{Status}: {Body}";
}
