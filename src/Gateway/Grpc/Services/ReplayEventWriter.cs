using System.Text.Json;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>A journaled commit → the bytes of a <c>statehouse.v1.ReplayEvent</c> with its prefix, in one pass over its body.</summary>
internal static class ReplayEventWriter
{
    private const byte EventTxnId = 1 << 3 | 2;
    private const byte EventCommitTs = 2 << 3 | 0;
    private const byte EventOperations = 3 << 3 | 2;
    private const byte OperationKey = 1 << 3 | 2;
    private const byte OperationValue = 2 << 3 | 2;
    private const byte OperationVersion = 3 << 3 | 0;
    private const int TxnIdBytes = 36;

    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    /// <exception cref="InvariantBrokenException">SH-9001. The body is not one that a commit has.</exception>
    public static void Write(ProtoBuffer output, JournalCommit commit)
    {
        int frame = output.BeginFrame();
        WriteTxnId(output, commit.TxnId);
        output.Tag(EventCommitTs);
        output.Varint((ulong)commit.CommitTs.Value);
        try
        {
            WriteBody(output, commit.Body.Span);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvariantBrokenException($"The body of commit {commit.Version} (txn {commit.TxnId}) cannot be read.", error);
        }
        output.EndFrame(frame);
    }

    private static void WriteTxnId(ProtoBuffer output, Guid txnId)
    {
        output.Tag(EventTxnId);
        output.Varint(TxnIdBytes);
        txnId.TryFormat(output.Reserve(TxnIdBytes), out int written, "D");
        output.Advance(written);
    }

    private static void WriteBody(ProtoBuffer output, ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, AnyDepth);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isOperations = reader.ValueTextEquals("operations"u8);
            reader.Read();
            if (isOperations)
                WriteOperations(output, ref reader);
            else
                reader.Skip();
        }
    }

    private static void WriteOperations(ProtoBuffer output, ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            int operation = output.Begin(EventOperations);
            WriteOperation(output, ref reader);
            output.End(operation);
        }
    }

    private static void WriteOperation(ProtoBuffer output, ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("key"u8))
            {
                reader.Read();
                StructWriter.WriteText(output, OperationKey, ref reader);
            }
            else if (reader.ValueTextEquals("value"u8))
            {
                reader.Read();
                int value = output.Begin(OperationValue);
                StructWriter.Write(output, ref reader);
                output.End(value);
            }
            else if (reader.ValueTextEquals("version"u8))
            {
                reader.Read();
                output.Tag(OperationVersion);
                output.Varint((ulong)reader.GetInt64());
            }
            else
            {
                reader.Skip();
            }
        }
    }
}
