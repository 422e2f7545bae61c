using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Statehouse.Faults.Checker;

/// <summary>Compares JSON texts: byte for byte, or by meaning where gRPC was on the way (numbers are doubles, members have no order).</summary>
internal static class JsonTexts
{
    public const string GrpcProtocol = "grpc";

    /// <param name="one">JSON text; null = no value.</param>
    /// <param name="other">As above.</param>
    /// <param name="protocol">The protocol that one of the two came through.</param>
    public static bool AreSame(string? one, string? other, string protocol) =>
        string.Equals(one, other, StringComparison.Ordinal)
        || (protocol == GrpcProtocol && one is not null && other is not null && Canonical(one) == Canonical(other));

    /// <summary>The same text for all texts of one meaning.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static string Canonical(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        var text = new StringBuilder(json.Length);
        Append(text, document.RootElement);
        return text.ToString();
    }

    private static void Append(StringBuilder text, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (JsonProperty member in element.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    text.Append(JsonSerializer.Serialize(member.Name)).Append(':');
                    Append(text, member.Value);
                    text.Append(',');
                }
                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (JsonElement item in element.EnumerateArray())
                {
                    Append(text, item);
                    text.Append(',');
                }
                text.Append(']');
                break;
            case JsonValueKind.Number:
                // Minus zero is the same number, and some encoders drop its sign.
                text.Append((element.GetDouble() + 0.0).ToString("R", CultureInfo.InvariantCulture));
                break;
            case JsonValueKind.String:
                text.Append(JsonSerializer.Serialize(element.GetString()));
                break;
            default:
                text.Append(element.GetRawText());
                break;
        }
    }
}
