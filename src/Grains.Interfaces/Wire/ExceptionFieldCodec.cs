using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>
/// The codec of all <see cref="StatehouseException"/>s. Without it Orleans would take them apart by ISerializable, and
/// their code and details would not arrive.
/// </summary>
/// <remarks>
/// On the wire their type is this codec: the class's number stands among the fields, so a class that the receiver does
/// not have cannot make the answer unreadable. (Nor could it be their base: Orleans reads an abstract type that it has
/// no codec for by looking for that type's codec, without end.) Specializable, because those are asked before the
/// generalized ones, of which one takes every exception.
/// </remarks>
internal sealed class ExceptionFieldCodec : ISpecializableCodec, IFieldCodec
{
    public const string Alias = "statehouse.Exception";

    public bool IsSupportedType(Type type) => type == typeof(ExceptionFieldCodec) || typeof(StatehouseException).IsAssignableFrom(type);

    public IFieldCodec GetSpecializedCodec(Type type) => this;

    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, [AllowNull] object? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is StatehouseException error)
            LengthPrefixed.Write(ref writer, fieldIdDelta, expectedType, typeof(ExceptionFieldCodec), error, ExceptionFields.Write);
        else
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
    }

    public object? ReadValue<TInput>(ref Reader<TInput> reader, Field field) => field.IsReference
        ? ReferenceCodec.ReadReference(ref reader, typeof(ExceptionFieldCodec))
        : LengthPrefixed.Read(ref reader, field, ExceptionFields.Read, jsonDepthMax: 0);
}
