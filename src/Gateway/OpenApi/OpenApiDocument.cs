namespace Statehouse.Gateway;

/// <summary>The hand-written description of HTTP v1, embedded as it stands. A test holds it against the route table.</summary>
internal static class OpenApiDocument
{
    private static readonly Lazy<byte[]> Document = new(Read);

    public static ReadOnlySpan<byte> Utf8 => Document.Value;

    private static byte[] Read()
    {
        using Stream source = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.json")
            ?? throw new InvalidOperationException("openapi.json is not embedded in this build.");
        using var copy = new MemoryStream();
        source.CopyTo(copy);
        return copy.ToArray();
    }
}
