using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Codec;

/// <summary>
/// The journaled form of a commit's meaning, and its form on the HTTP wire:
/// <c>{"operations":[{"op":"put","key":"k","value":…,"version":1},{"op":"delete","key":"k","version":2}],"idempotency_key":"…","metadata":…}</c>.
/// Members stand in this order, absent ones are left out, values are the caller's own text. A detached put has
/// <c>"sha256":"…","bytes":n</c> in the place of <c>"value"</c>, and the value itself is in the detail
/// (<see cref="DetailCodec"/>). The bytes before the detail are hashed (I11): changing what is written here for the same
/// content breaks no old journal, but needs a decision record.
/// </summary>
public static class CommitBodyCodec
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_buffer;

    // A buffer grown by one huge commit is not kept for ever.
    private const int KeptBufferBytes = 256 * 1024;

    public static byte[] Encode(ImmutableArray<AppliedOperation> operations, string? idempotencyKey, JsonText metadata)
    {
        ArrayBufferWriter<byte> output = t_buffer ??= new ArrayBufferWriter<byte>(1024);
        output.ResetWrittenCount();
        output.WriteRaw("{\"operations\":["u8);
        for (int i = 0; i < operations.Length; i++)
        {
            if (i > 0)
                output.WriteRaw(","u8);
            WriteOperation(output, operations[i]);
        }
        output.WriteRaw("]"u8);
        if (idempotencyKey is not null)
        {
            output.WriteRaw(",\"idempotency_key\":"u8);
            output.WriteString(idempotencyKey);
        }
        if (!metadata.IsAbsent)
        {
            output.WriteRaw(",\"metadata\":"u8);
            output.WriteRaw(metadata.Utf8);
        }
        output.WriteRaw("}"u8);
        DetailCodec.Write(output, operations);

        byte[] body = output.WrittenSpan.ToArray();
        if (output.Capacity > KeptBufferBytes)
            t_buffer = null;
        return body;
    }

    /// <summary>The commit that a journal holds, with its meaning. Detached values are not restored.</summary>
    /// <param name="commit">As read; its hash was checked by whoever folds it.</param>
    /// <exception cref="InvariantBrokenException">SH-9001. The body is not one that <see cref="Encode"/> writes.</exception>
    public static Commit Decode(JournalCommit commit)
    {
        try
        {
            ReadOnlyMemory<byte> canonical = commit.Canonical;
            var reader = new Utf8JsonReader(canonical.Span, new JsonReaderOptions { MaxDepth = int.MaxValue });
            var body = new BodyReader(canonical);
            body.Read(ref reader);
            ImmutableArray<AppliedOperation> operations = DetailCodec.Attach(body.Operations, commit.Detail);
            return new Commit(
                new CommitStamp(commit.Version, commit.Time, commit.CommitTs),
                commit.TxnId, commit.Hash, operations, body.IdempotencyKey, body.Metadata, commit.Body);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvariantBrokenException($"The body of commit {commit.Version} (txn {commit.TxnId}) cannot be read.", error);
        }
    }

    private static void WriteOperation(ArrayBufferWriter<byte> output, in AppliedOperation operation)
    {
        output.WriteRaw(operation.Kind == OperationKind.Put ? "{\"op\":\"put\",\"key\":"u8 : "{\"op\":\"delete\",\"key\":"u8);
        output.WriteString(operation.Key.Utf8);
        if (operation.Detached is { } detached)
        {
            output.WriteRaw(",\"sha256\":"u8);
            output.WriteString(detached.Digest.ToString());
            output.WriteRaw(",\"bytes\":"u8);
            output.WriteNumber(detached.Bytes);
        }
        else if (operation.Kind == OperationKind.Put)
        {
            output.WriteRaw(",\"value\":"u8);
            output.WriteRaw(operation.Value.Utf8);
        }
        output.WriteRaw(",\"version\":"u8);
        output.WriteNumber(operation.Version.Value);
        output.WriteRaw("}"u8);
    }

    /// <summary>Collects the members of one body. Unknown members are passed over: a newer writer may have added some.</summary>
    private sealed class BodyReader(ReadOnlyMemory<byte> body)
    {
        public ImmutableArray<AppliedOperation> Operations { get; private set; } = [];

        public string? IdempotencyKey { get; private set; }

        public JsonText Metadata { get; private set; }

        public void Read(ref Utf8JsonReader reader)
        {
            Expect(reader.Read() && reader.TokenType == JsonTokenType.StartObject);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("operations"u8))
                    ReadOperations(ref reader);
                else if (reader.ValueTextEquals("idempotency_key"u8) && reader.Read())
                    IdempotencyKey = reader.GetString();
                else if (reader.ValueTextEquals("metadata"u8) && reader.Read())
                    Metadata = ReadRaw(ref reader);
                else
                    reader.Skip();
            }
            Expect(reader.TokenType == JsonTokenType.EndObject);
        }

        private void ReadOperations(ref Utf8JsonReader reader)
        {
            ImmutableArray<AppliedOperation>.Builder operations = ImmutableArray.CreateBuilder<AppliedOperation>(1);
            Expect(reader.Read() && reader.TokenType == JsonTokenType.StartArray);
            while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                operations.Add(ReadOperation(ref reader));
            Expect(reader.TokenType == JsonTokenType.EndArray);
            Operations = operations.DrainToImmutable();
        }

        private AppliedOperation ReadOperation(ref Utf8JsonReader reader)
        {
            OperationKind kind = default;
            Key key = default;
            JsonText value = default;
            ValueDigest? digest = null;
            int bytes = 0;
            long version = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("op"u8) && reader.Read())
                    kind = reader.ValueTextEquals("put"u8) ? OperationKind.Put : OperationKind.Delete;
                else if (reader.ValueTextEquals("key"u8) && reader.Read())
                    key = ReadKey(ref reader);
                else if (reader.ValueTextEquals("value"u8) && reader.Read())
                    value = ReadRaw(ref reader);
                else if (reader.ValueTextEquals("sha256"u8) && reader.Read())
                    digest = ReadDigest(ref reader);
                else if (reader.ValueTextEquals("bytes"u8) && reader.Read())
                    bytes = reader.GetInt32();
                else if (reader.ValueTextEquals("version"u8) && reader.Read())
                    version = reader.GetInt64();
                else
                    reader.Skip();
            }
            bool isDetached = digest is not null;
            Expect(kind != default && key.Length > 0 && version > 0 && isDetached == bytes > 0);
            Expect(kind == OperationKind.Delete ? value.IsAbsent && !isDetached : value.IsAbsent == isDetached);
            DetachedValue? detached = isDetached ? new DetachedValue(digest!.Value, bytes, DetachedForm.Dropped, default) : null;
            return new AppliedOperation(kind, key, value, new KeyVersion(version), detached);
        }

        private static ValueDigest ReadDigest(ref Utf8JsonReader reader)
        {
            Expect(reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped);
            return ValueDigest.Parse(reader.ValueSpan);
        }

        private static Key ReadKey(ref Utf8JsonReader reader)
        {
            if (!reader.ValueIsEscaped)
                return new Key(reader.ValueSpan.ToArray());
            Span<byte> buffer = new byte[reader.ValueSpan.Length];
            return new Key(buffer[..reader.CopyString(buffer)].ToArray());
        }

        /// <summary>
        /// The value's own text. It may share the body's memory where it makes up most of it; a small value of a large
        /// body is copied, so that one surviving key never keeps a whole commit in memory.
        /// </summary>
        private JsonText ReadRaw(ref Utf8JsonReader reader)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            ReadOnlyMemory<byte> raw = body[start..(int)reader.BytesConsumed];
            return JsonText.Trusted(raw.Length * 2 >= body.Length ? raw : raw.ToArray());
        }

        private static void Expect(bool holds)
        {
            if (!holds)
                throw new FormatException("A member of the commit body is missing or of the wrong kind.");
        }
    }
}
