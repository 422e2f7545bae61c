using System.Buffers;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>Puts numbered fields into an Orleans message as one length-prefixed field, and takes them out.</summary>
/// <remarks>
/// Records take no part in Orleans' tracking of references: they are trees, and looking each one up would cost more
/// than writing one twice.
/// </remarks>
internal static class LengthPrefixed
{
    public static void Write<TBufferWriter, T>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, Type wireType, T value, FieldsWriter<T> write)
        where TBufferWriter : IBufferWriter<byte>
    {
        WireWriter fields = WireWriter.Rent();
        // Fields first: where they are refused, nothing of them has gone out.
        write(fields, value);
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, wireType, WireType.LengthPrefixed);
        writer.WriteVarUInt32((uint)fields.Written.Length);
        writer.Write(fields.Written);
        fields.Return();
    }

    /// <exception cref="Orleans.Serialization.SerializerException">The bytes are not of this format.</exception>
    public static T Read<TInput, T>(ref Reader<TInput> reader, Field field, FieldsReader<T> read, int jsonDepthMax)
    {
        field.EnsureWireType(WireType.LengthPrefixed);
        ReferenceCodec.MarkValueField(reader.Session);
        uint length = reader.ReadVarUInt32();
        reader.EnsureAvailable(length);
        if (reader.TryReadBytes((int)length, out ReadOnlySpan<byte> bytes))
            return Read(bytes, read, jsonDepthMax);

        // It lies across two of the network's buffers.
        byte[] whole = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            reader.ReadBytes(whole.AsSpan(0, (int)length));
            return Read(whole.AsSpan(0, (int)length), read, jsonDepthMax);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    private static T Read<T>(ReadOnlySpan<byte> bytes, FieldsReader<T> read, int jsonDepthMax)
    {
        var fields = new WireReader(bytes, jsonDepthMax);
        return read(ref fields);
    }
}
