using System.Text.Json;
using Statehouse.Agents;
using Statehouse.Agents.Codec;

namespace Statehouse.Executions;

/// <summary>
/// The value of the key <c>step</c>, which every commit of an execution puts, so that any commit alone tells where the
/// execution stood: <c>{"s":12,"n":13,"b":1043,"w":11}</c>.
/// </summary>
/// <param name="Step">Of the last checkpoint, or the one restored to; null before the first.</param>
/// <param name="Count">Checkpoints ever made: grows by one with each, and with nothing else.</param>
/// <param name="StateBytes">Of the latest state's JSON text.</param>
/// <param name="Whole">Number (by <paramref name="Count"/>) of the newest checkpoint that was due to be kept whole; 0 = none yet.</param>
public readonly record struct StepMark(long? Step, long Count, long StateBytes, long Whole)
{
    /// <summary>The largest integer that every JSON reader takes exactly.</summary>
    public const long StepMax = (1L << 53) - 1;

    public JsonText ToJson()
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>(48);
        output.WriteRaw("{\"s\":"u8);
        if (Step is { } step)
            output.WriteNumber(step);
        else
            output.WriteRaw("null"u8);
        output.WriteRaw(",\"n\":"u8);
        output.WriteNumber(Count);
        output.WriteRaw(",\"b\":"u8);
        output.WriteNumber(StateBytes);
        output.WriteRaw(",\"w\":"u8);
        output.WriteNumber(Whole);
        output.WriteRaw("}"u8);
        return JsonText.Trusted(output.WrittenMemory);
    }

    public static StepMark Parse(JsonText json)
    {
        var reader = new Utf8JsonReader(json.Utf8);
        long? step = null;
        long count = 0;
        long bytes = 0;
        long whole = 0;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            byte name = reader.ValueSpan.Length == 1 ? reader.ValueSpan[0] : (byte)0;
            reader.Read();
            switch (name)
            {
                case (byte)'s': step = reader.TokenType == JsonTokenType.Null ? null : reader.GetInt64(); break;
                case (byte)'n': count = reader.GetInt64(); break;
                case (byte)'b': bytes = reader.GetInt64(); break;
                case (byte)'w': whole = reader.GetInt64(); break;
                default: reader.Skip(); break;
            }
        }
        return new StepMark(step, count, bytes, whole);
    }
}
