using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>One type of the contract as a field of an Orleans message: length-prefixed, its numbered fields inside.</summary>
internal sealed class RecordCodec<T>(FieldsWriter<T> write, FieldsReader<T> read, int jsonDepthMax) : IFieldCodec<T>
{
    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, [AllowNull] T value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is null)
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
        else
            LengthPrefixed.Write(ref writer, fieldIdDelta, expectedType, typeof(T), value, write);
    }

    public T ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.IsReference)
        {
            return ReferenceCodec.ReadReference(ref reader, typeof(T)) switch
            {
                T value => value,
                null when default(T) is null => default!,
                var other => throw new SerializerException($"A reference to {other ?? "nothing"} stands for a {typeof(T).Name}."),
            };
        }
        return LengthPrefixed.Read(ref reader, field, read, jsonDepthMax);
    }
}
