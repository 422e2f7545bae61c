using System.Text.Json;

namespace Statehouse.Gateway;

/// <summary>
/// JSON text → the bytes of a <c>google.protobuf.Struct</c>, in one pass. A value that is no object has no Struct: it
/// is wrapped as <c>{"value": …}</c>. Numbers become doubles, as everywhere on this wire. Member order is kept.
/// </summary>
internal static class StructWriter
{
    // Field number × 8 + wire type, of google/protobuf/struct.proto.
    private const byte StructFields = 1 << 3 | 2;
    private const byte EntryKey = 1 << 3 | 2;
    private const byte EntryValue = 2 << 3 | 2;
    private const byte ValueNull = 1 << 3 | 0;
    private const byte ValueNumber = 2 << 3 | 1;
    private const byte ValueString = 3 << 3 | 2;
    private const byte ValueBool = 4 << 3 | 0;
    private const byte ValueStruct = 5 << 3 | 2;
    private const byte ValueList = 6 << 3 | 2;
    private const byte ListValues = 1 << 3 | 2;

    // What may be read was within the limits when it was written, whatever they were then.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    /// <summary>Appends the bytes of a Struct.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="json">One valid JSON value.</param>
    public static void Write(ProtoBuffer output, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, AnyDepth);
        reader.Read();
        Write(output, ref reader);
    }

    /// <summary>The same for the value that a reader stands on; it stands on the value's last token afterwards.</summary>
    public static void Write(ProtoBuffer output, ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            WriteMembers(output, ref reader);
            return;
        }
        int entry = output.Begin(StructFields);
        output.Tag(EntryKey);
        output.Bytes("value"u8);
        WriteEntryValue(output, ref reader);
        output.End(entry);
    }

    /// <summary>A JSON string as protobuf has it: its length, then its UTF-8.</summary>
    public static void WriteText(ProtoBuffer output, byte tag, ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            output.Tag(tag);
            output.Bytes(reader.ValueSpan);
            return;
        }
        int text = output.Begin(tag);
        output.Advance(reader.CopyString(output.Reserve(reader.ValueSpan.Length)));
        output.End(text);
    }

    private static void WriteMembers(ProtoBuffer output, ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            int entry = output.Begin(StructFields);
            WriteText(output, EntryKey, ref reader);
            reader.Read();
            WriteEntryValue(output, ref reader);
            output.End(entry);
        }
    }

    private static void WriteEntryValue(ProtoBuffer output, ref Utf8JsonReader reader)
    {
        int value = output.Begin(EntryValue);
        WriteValue(output, ref reader);
        output.End(value);
    }

    private static void WriteValue(ProtoBuffer output, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                output.Tag(ValueNull);
                output.Varint(0);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                output.Tag(ValueBool);
                output.Varint(reader.TokenType == JsonTokenType.True ? 1u : 0u);
                break;
            case JsonTokenType.Number:
                output.Tag(ValueNumber);
                output.Fixed64(reader.GetDouble());
                break;
            case JsonTokenType.String:
                WriteText(output, ValueString, ref reader);
                break;
            case JsonTokenType.StartObject:
                int members = output.Begin(ValueStruct);
                WriteMembers(output, ref reader);
                output.End(members);
                break;
            default:
                WriteList(output, ref reader);
                break;
        }
    }

    private static void WriteList(ProtoBuffer output, ref Utf8JsonReader reader)
    {
        int list = output.Begin(ValueList);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int item = output.Begin(ListValues);
            WriteValue(output, ref reader);
            output.End(item);
        }
        output.End(list);
    }
}
