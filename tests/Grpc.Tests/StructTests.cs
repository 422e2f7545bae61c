using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Statehouse.Agents;
using Statehouse.Gateway;

namespace Statehouse.Grpc.Tests;

/// <summary>JSON text to Struct and back, held against the library's own classes.</summary>
public sealed class StructTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"a":1,"b":-0.5,"c":"x","d":true,"e":null,"f":[1,[],{}],"g":{"h":{"i":[{}]}}}""")]
    [InlineData("""{"n":9007199254740992,"m":-9223372036854774784,"x":1E+25,"y":5E-324,"z":-0}""")]
    [InlineData("""{"quote":"\"\\\n"}""")]
    public void Text_becomes_the_Struct_that_the_library_reads_and_comes_back_the_same(string json)
    {
        using var output = new ProtoBuffer();
        StructWriter.Write(output, Encoding.UTF8.GetBytes(json));
        Struct read = Struct.Parser.ParseFrom(output.WrittenSpan);
        Assert.Equal(JsonParser.Default.Parse<Struct>(json), read);
        Assert.Equal(output.Length, read.CalculateSize());
        Assert.Equal(json, StructReader.ToJson("value", output.WrittenSpan, 64).ToString());
    }

    [Fact]
    public void Lengths_around_each_size_of_varint_are_right()
    {
        foreach (int length in (int[])[0, 1, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 16_370, 16_383, 16_384, 2_097_140, 2_097_152])
        {
            string json = $"{{\"k\":{{\"l\":\"{new string('x', length)}\"}}}}";
            using var output = new ProtoBuffer();
            StructWriter.Write(output, Encoding.UTF8.GetBytes(json));
            Assert.Equal(length, Struct.Parser.ParseFrom(output.WrittenSpan).Fields["k"].StructValue.Fields["l"].StringValue.Length);
            Assert.Equal(json, StructReader.ToJson("value", output.WrittenSpan, 64).ToString());
        }
    }

    [Fact]
    public void Nesting_beyond_the_limit_is_refused_and_at_the_limit_is_taken()
    {
        Assert.False(StructReader.ToJson("value", Nested(64), 64).IsAbsent);
        Assert.Throws<RefusedException>(() => StructReader.ToJson("value", Nested(65), 64));
        Assert.Throws<RefusedException>(() => StructReader.ToJson("value", Nested(20_000), 64));
    }

    [Theory]
    [InlineData(new byte[] { 0x0A })]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F })]
    [InlineData(new byte[] { 0x0B, 1 })]
    [InlineData(new byte[] { 0x02, 0 })]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1 })]
    [InlineData(new byte[] { 0x0A, 3, 0x0A, 1, (byte)'a' })]
    [InlineData(new byte[] { 0x0A, 7, 0x0A, 1, 0xFF, 0x12, 2, 0x08, 0 })]
    [InlineData(new byte[] { 0x0A, 7, 0x0A, 1, (byte)'a', 0x12, 2, 0x08, 0, 0x0A, 7, 0x0A, 1, (byte)'a', 0x12, 2, 0x08, 0 })]
    [InlineData(new byte[] { 0x0A, 14, 0x0A, 1, (byte)'a', 0x12, 9, 0x11, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F })]
    public void Bytes_that_no_library_writes_are_refused(byte[] bytes) =>
        Assert.Throws<RefusedException>(() => StructReader.ToJson("value", bytes, 64));

    private static byte[] Nested(int levels)
    {
        using var output = new ProtoBuffer();
        string json = string.Concat(Enumerable.Repeat("{\"a\":", levels - 1)) + "{}" + new string('}', levels - 1);
        StructWriter.Write(output, Encoding.UTF8.GetBytes(json));
        return output.WrittenSpan.ToArray();
    }
}
