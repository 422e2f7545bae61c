using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace Statehouse.Grains.Tests;

/// <summary>
/// A value with all it holds, as text: two are the same where their texts are. The records' own equality does not
/// look into arrays and bytes.
/// </summary>
internal static class Description
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        Key key => $"key {Convert.ToHexString(key.Utf8)}",
        JsonText json => $"json {Convert.ToHexString(json.Utf8)}",
        CommitHash or Enum or bool or Guid => $"{value.GetType().Name} {value}",
        ReadOnlyMemory<byte> bytes => $"bytes {Convert.ToHexString(bytes.Span)}",
        IFormattable number when value.GetType().IsPrimitive => number.ToString(null, CultureInfo.InvariantCulture),
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        // Its class is not looked at: one that only the sender has arrives as another.
        StatehouseException error => $"{Enum.Format(typeof(ErrorCode), error.Code, "D")} {error.Message} {Of(error.Details.Select(detail => $"{detail.Key}: {detail.Value}").Order(StringComparer.Ordinal))} <- {Of(error.InnerException)}",
        Exception cause => $"{(cause as RemoteCauseException)?.TypeName ?? cause.GetType().FullName} {cause.Message} <- {Of(cause.InnerException)}",
        // An array that was never set is its own thing only where the contract gives it a meaning: in a receipt.
        IEnumerable items when IsDefaultArray(items) => "[default]",
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Of))}]",
        _ => OfMembers(value),
    };

    private static string OfMembers(object value)
    {
        var text = new StringBuilder(value.GetType().Name).Append('(');
        foreach (PropertyInfo property in value.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            if (property.GetMethod is not null && property.SetMethod is not null)
                text.Append(property.Name).Append('=').Append(Of(property.GetValue(value))).Append("; ");
        }
        return text.Append(')').ToString();
    }

    private static bool IsDefaultArray(IEnumerable items) =>
        items.GetType().GetProperty("IsDefault") is { } isDefault && (bool)isDefault.GetValue(items)!;
}
