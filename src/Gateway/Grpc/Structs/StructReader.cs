using System.Globalization;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>
/// The bytes of a <c>google.protobuf.Struct</c> → JSON text, in one pass. A whole number is written without decimals or
/// exponent as far as 64 bits reach, any other as the shortest text that reads back as the same double. Order is kept.
/// </summary>
internal static class StructReader
{
    private const uint StructFields = 1 << 3 | 2;
    private const uint EntryKey = 1 << 3 | 2;
    private const uint EntryValue = 2 << 3 | 2;
    private const uint ValueNull = 1 << 3 | 0;
    private const uint ValueNumber = 2 << 3 | 1;
    private const uint ValueString = 3 << 3 | 2;
    private const uint ValueBool = 4 << 3 | 0;
    private const uint ValueStruct = 5 << 3 | 2;
    private const uint ValueList = 6 << 3 | 2;
    private const uint ListValues = 1 << 3 | 2;

    private const double WholeMax = 9_223_372_036_854_775_807d;

    /// <param name="field">Named in a refusal.</param>
    /// <param name="bytes">Of a Struct.</param>
    /// <param name="depthMax">Levels of nesting allowed.</param>
    /// <exception cref="RefusedException">SH-1003: no Struct, too deep, a number that JSON lacks, text that is no UTF-8, a member twice.</exception>
    public static JsonText ToJson(string field, ReadOnlySpan<byte> bytes, int depthMax)
    {
        using var json = new JsonBuffer();
        try
        {
            WriteStruct(json, field, bytes, depthMax);
        }
        catch (FormatException error)
        {
            throw RefusedException.Invalid(field, "a google.protobuf.Struct", $"none: {error.Message}");
        }
        // Checks what the bytes could still hide: broken UTF-8, a member twice.
        return JsonText.Parse(field, json.Written.Span, depthMax);
    }

    private static void WriteStruct(JsonBuffer json, string field, ReadOnlySpan<byte> bytes, int levelsLeft)
    {
        ExpectLevel(field, levelsLeft);
        json.Raw("{"u8);
        bool isFirst = true;
        var reader = new ProtoReader(bytes);
        while (reader.Read())
        {
            if (reader.Tag != StructFields)
                continue;
            if (!isFirst)
                json.Raw(","u8);
            isFirst = false;
            WriteEntry(json, field, reader.Content, levelsLeft);
        }
        json.Raw("}"u8);
    }

    private static void WriteEntry(JsonBuffer json, string field, ReadOnlySpan<byte> bytes, int levelsLeft)
    {
        ReadOnlySpan<byte> key = default;
        ReadOnlySpan<byte> value = default;
        var reader = new ProtoReader(bytes);
        while (reader.Read())
        {
            if (reader.Tag == EntryKey)
                key = reader.Content;
            else if (reader.Tag == EntryValue)
                value = reader.Content;
        }
        json.String(key).Raw(":"u8);
        WriteValue(json, field, value, levelsLeft);
    }

    private static void WriteValue(JsonBuffer json, string field, ReadOnlySpan<byte> bytes, int levelsLeft)
    {
        uint kind = 0;
        ulong number = 0;
        ReadOnlySpan<byte> content = default;
        var reader = new ProtoReader(bytes);
        while (reader.Read())
        {
            // Of several kinds the last one counts, as protobuf has it.
            if (reader.Tag is not (ValueNull or ValueNumber or ValueString or ValueBool or ValueStruct or ValueList))
                continue;
            kind = reader.Tag;
            number = reader.Number;
            content = reader.Content;
        }
        switch (kind)
        {
            case ValueNull: json.Raw("null"u8); break;
            case ValueNumber: WriteNumber(json, field, BitConverter.UInt64BitsToDouble(number)); break;
            case ValueString: json.String(content); break;
            case ValueBool: json.Bool(number != 0); break;
            case ValueStruct: WriteStruct(json, field, content, levelsLeft - 1); break;
            case ValueList: WriteList(json, field, content, levelsLeft - 1); break;
            default: throw new FormatException("A Value in it has no kind.");
        }
    }

    private static void WriteList(JsonBuffer json, string field, ReadOnlySpan<byte> bytes, int levelsLeft)
    {
        ExpectLevel(field, levelsLeft);
        json.Raw("["u8);
        bool isFirst = true;
        var reader = new ProtoReader(bytes);
        while (reader.Read())
        {
            if (reader.Tag != ListValues)
                continue;
            if (!isFirst)
                json.Raw(","u8);
            isFirst = false;
            WriteValue(json, field, reader.Content, levelsLeft);
        }
        json.Raw("]"u8);
    }

    private static void WriteNumber(JsonBuffer json, string field, double number)
    {
        if (!double.IsFinite(number))
            throw RefusedException.Invalid(field, "made of numbers that JSON has", number.ToString(CultureInfo.InvariantCulture));
        bool isWhole = Math.Abs(number) < WholeMax && Math.Floor(number) == number && !(number == 0 && double.IsNegative(number));
        if (isWhole)
        {
            json.Number((long)number);
            return;
        }
        Span<byte> text = stackalloc byte[32];
        number.TryFormat(text, out int written, default, CultureInfo.InvariantCulture);
        json.Raw(text[..written]);
    }

    private static void ExpectLevel(string field, int levelsLeft)
    {
        if (levelsLeft <= 0)
            throw RefusedException.Invalid(field, "nested within limits.json_depth_max levels", "nested deeper");
    }
}
