using System.Text.Encodings.Web;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>How JSON that starts here is written: as little escaped as the format allows, like the server's own.</summary>
internal static class JsonString
{
    public static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>The text as a JSON string, with its quotes.</returns>
    public static string Of(string text) => JsonSerializer.Serialize(text, Options);
}
