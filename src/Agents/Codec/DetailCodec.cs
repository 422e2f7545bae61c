using System.Buffers;
using System.Collections.Immutable;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Codec;

/// <summary>
/// A commit's detail (<see cref="JournalCommit.Detail"/>): the byte 1, its format, then for each detached value in the
/// order of the operations: its form as a byte (1 the whole value, 2 a <see cref="ValueDifference"/>), the number of bytes
/// that follow as a varint, and those. Docs: docs/data-layout.md.
/// </summary>
internal static class DetailCodec
{
    private const byte Format = 1;

    /// <summary>Writes nothing where no operation is detached.</summary>
    public static void Write(IBufferWriter<byte> output, ImmutableArray<AppliedOperation> operations)
    {
        bool isFirst = true;
        foreach (AppliedOperation operation in operations)
        {
            if (operation.Detached is not { } value)
                continue;
            if (isFirst)
                output.Write([CommitBody.DetailSeparator, Format]);
            isFirst = false;
            output.Write([(byte)value.Form]);
            Varint.Write(output, (ulong)value.Kept.Length);
            output.Write(value.Kept.Span);
        }
    }

    /// <summary>The operations with what the detail has of their values; those come with digest and length alone.</summary>
    /// <param name="operations">As the canonical body has them.</param>
    /// <param name="detail">Empty where it was dropped.</param>
    /// <exception cref="FormatException">Not a detail of these operations.</exception>
    public static ImmutableArray<AppliedOperation> Attach(ImmutableArray<AppliedOperation> operations, ReadOnlyMemory<byte> detail)
    {
        if (detail.IsEmpty)
            return operations;
        if (detail.Span[0] != Format)
            throw new FormatException($"The detail's format {detail.Span[0]} is not known to this version.");
        ImmutableArray<AppliedOperation>.Builder attached = operations.ToBuilder();
        ReadOnlyMemory<byte> rest = detail[1..];
        for (int i = 0; i < attached.Count; i++)
        {
            if (attached[i].Detached is { } value)
                attached[i] = attached[i] with { Detached = Read(ref rest, value, detail.Length) };
        }
        return rest.IsEmpty && detail.Length > 1
            ? attached.MoveToImmutable()
            : throw new FormatException($"The detail has {rest.Length} bytes more than its operations need.");
    }

    /// <summary>A small value of a large detail is copied, so that one surviving key never keeps a whole commit in memory.</summary>
    private static DetachedValue Read(ref ReadOnlyMemory<byte> rest, DetachedValue value, int detailBytes)
    {
        if (rest.IsEmpty || (DetachedForm)rest.Span[0] is not (DetachedForm.Whole or DetachedForm.Difference))
            throw new FormatException("The detail ends too early, or has a form that is not known to this version.");
        var form = (DetachedForm)rest.Span[0];
        ReadOnlySpan<byte> behindForm = rest.Span[1..];
        ulong length = Varint.Read(ref behindForm);
        if (length > (ulong)behindForm.Length || (form == DetachedForm.Whole && length != (ulong)value.Bytes))
            throw new FormatException($"The detail says {length} bytes of a value of {value.Bytes} bytes and holds {behindForm.Length} more.");
        ReadOnlyMemory<byte> kept = rest.Slice(rest.Length - behindForm.Length, (int)length);
        rest = rest[^(behindForm.Length - (int)length)..];
        bool mayShare = form == DetachedForm.Difference || kept.Length >= detailBytes / 2;
        return new DetachedValue(value.Digest, value.Bytes, form, mayShare ? kept : kept.ToArray());
    }
}
