using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;

namespace Statehouse.Faults.Clients;

/// <summary>
/// JSON texts ↔ <c>google.protobuf.Struct</c>. An object goes as it is; any other value is wrapped as <c>{"v": …}</c>, and unwrapped when it
/// comes back. Texts come back as they went where they have no white space, their numbers are doubles written the shortest way
/// (whole ones without exponent), and only quotes, backslashes and control characters are escaped.
/// </summary>
internal static class StructText
{
    private const string Wrapper = "v";
    private const double WholeMax = 9_223_372_036_854_775_807d;

    /// <exception cref="NotSupportedException">An object whose only member is <c>v</c>: it would come back unwrapped.</exception>
    public static Struct ToStruct(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        Value value = ToValue(document.RootElement);
        if (value.KindCase != Value.KindOneofCase.StructValue)
            return new Struct { Fields = { [Wrapper] = value } };
        return IsWrapped(value.StructValue)
            ? throw new NotSupportedException($"{json} cannot be told from a wrapped value.")
            : value.StructValue;
    }

    public static string ToJson(Struct value)
    {
        var json = new StringBuilder();
        if (IsWrapped(value))
            Append(json, value.Fields[Wrapper]);
        else
            Append(json, value);
        return json.ToString();
    }

    private static bool IsWrapped(Struct value) => value.Fields.Count == 1 && value.Fields.ContainsKey(Wrapper);

    private static Value ToValue(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => Value.ForStruct(ToStruct(json)),
        JsonValueKind.Array => Value.ForList([.. json.EnumerateArray().Select(ToValue)]),
        JsonValueKind.String => Value.ForString(json.GetString()!),
        JsonValueKind.Number => Value.ForNumber(json.GetDouble()),
        JsonValueKind.True => Value.ForBool(true),
        JsonValueKind.False => Value.ForBool(false),
        _ => Value.ForNull(),
    };

    private static Struct ToStruct(JsonElement json)
    {
        var made = new Struct();
        foreach (JsonProperty member in json.EnumerateObject())
            made.Fields.Add(member.Name, ToValue(member.Value));
        return made;
    }

    private static void Append(StringBuilder json, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StructValue: Append(json, value.StructValue); break;
            case Value.KindOneofCase.ListValue: Append(json, value.ListValue); break;
            case Value.KindOneofCase.StringValue: Append(json, value.StringValue); break;
            case Value.KindOneofCase.NumberValue: Append(json, value.NumberValue); break;
            case Value.KindOneofCase.BoolValue: json.Append(value.BoolValue ? "true" : "false"); break;
            default: json.Append("null"); break;
        }
    }

    private static void Append(StringBuilder json, Struct value)
    {
        string separator = "{";
        foreach ((string name, Value member) in value.Fields)
        {
            Append(json.Append(separator), name);
            Append(json.Append(':'), member);
            separator = ",";
        }
        json.Append(value.Fields.Count == 0 ? "{}" : "}");
    }

    private static void Append(StringBuilder json, ListValue list)
    {
        string separator = "[";
        foreach (Value item in list.Values)
        {
            Append(json.Append(separator), item);
            separator = ",";
        }
        json.Append(list.Values.Count == 0 ? "[]" : "]");
    }

    private static void Append(StringBuilder json, double number)
    {
        if (Math.Floor(number) == number && Math.Abs(number) < WholeMax)
            json.Append(((long)number).ToString(CultureInfo.InvariantCulture));
        else
            json.Append(number.ToString(CultureInfo.InvariantCulture));
    }

    private static void Append(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            if (c is '"' or '\\')
                json.Append('\\').Append(c);
            else if (c < ' ')
                json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                json.Append(c);
        }
        json.Append('"');
    }
}
