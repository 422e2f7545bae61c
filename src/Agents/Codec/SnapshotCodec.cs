using System.Buffers;
using System.Text.Json;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Codec;

/// <summary>
/// An agent's state as bytes, for snapshots and for comparing states (I5: equal states make equal bytes).
/// One JSON object:
/// <c>{"format":1,"version":9,"commit_ts":31,"time_us":…,"keys":[[key,version,agent_version,commit_ts,time_us,value?],…],
/// "idempotency":[[key,agent_version,commit_ts,time_us,txn_id,hash,content,metadata?],…]}</c>.
/// Keys stand in byte order; a key without value is a tombstone; idempotency keys stand oldest first.
/// </summary>
public static class SnapshotCodec
{
    private const int Format = 1;

    public static byte[] Encode(AgentState state)
    {
        var output = new ArrayBufferWriter<byte>((int)Math.Min(state.Bytes + state.KeyCount * 64 + 256, 1 << 24));
        output.WriteRaw("{\"format\":1,\"version\":"u8);
        output.WriteNumber(state.Version.Value);
        output.WriteRaw(",\"commit_ts\":"u8);
        output.WriteNumber(state.Stamp.CommitTs.Value);
        output.WriteRaw(",\"time_us\":"u8);
        output.WriteNumber(state.Stamp.Time.UnixMicroseconds);
        output.WriteRaw(",\"keys\":["u8);
        bool first = true;
        foreach (KeyEntry entry in state.Keys.All())
        {
            output.WriteRaw(first ? "\n["u8 : ",\n["u8);
            first = false;
            WriteEntry(output, entry);
        }
        output.WriteRaw("],\"idempotency\":["u8);
        first = true;
        foreach (RememberedCommit commit in state.Idempotency.OldestFirst)
        {
            output.WriteRaw(first ? "\n["u8 : ",\n["u8);
            first = false;
            WriteRemembered(output, commit);
        }
        output.WriteRaw("]}"u8);
        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="InvariantBrokenException">SH-9001. Not a snapshot of this format, or of another version than it says.</exception>
    public static AgentState Decode(AgentId agent, JournalSnapshot snapshot)
    {
        try
        {
            var reader = new Utf8JsonReader(snapshot.Body.Span, new JsonReaderOptions { MaxDepth = int.MaxValue });
            var decoding = new Decoding(snapshot.Body);
            decoding.Read(ref reader);
            if (decoding.Stamp.Version != snapshot.Version)
                throw new FormatException($"It holds version {decoding.Stamp.Version}.");
            return AgentState.Restore(agent, decoding.Stamp, snapshot.Hash, decoding.Keys, decoding.Idempotency);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvariantBrokenException($"The snapshot of agent {agent} at version {snapshot.Version} cannot be read.", error);
        }
    }

    private static void WriteEntry(ArrayBufferWriter<byte> output, KeyEntry entry)
    {
        output.WriteString(entry.Key.Utf8);
        WriteNext(output, entry.Version.Value);
        WriteStamp(output, entry.Stamp);
        if (entry.IsLive)
        {
            output.WriteRaw(","u8);
            output.WriteRaw(entry.Value.Utf8);
        }
        output.WriteRaw("]"u8);
    }

    private static void WriteRemembered(ArrayBufferWriter<byte> output, RememberedCommit commit)
    {
        output.WriteString(commit.Key);
        WriteStamp(output, commit.Stamp);
        output.WriteRaw(","u8);
        output.WriteString(commit.TxnId.ToString("D"));
        output.WriteRaw(","u8);
        output.WriteString(commit.Hash.ToString());
        output.WriteRaw(","u8);
        output.WriteString(commit.Content.ToString());
        if (!commit.Metadata.IsAbsent)
        {
            output.WriteRaw(","u8);
            output.WriteRaw(commit.Metadata.Utf8);
        }
        output.WriteRaw("]"u8);
    }

    private static void WriteStamp(ArrayBufferWriter<byte> output, CommitStamp stamp)
    {
        WriteNext(output, stamp.Version.Value);
        WriteNext(output, stamp.CommitTs.Value);
        WriteNext(output, stamp.Time.UnixMicroseconds);
    }

    private static void WriteNext(ArrayBufferWriter<byte> output, long number)
    {
        output.WriteRaw(","u8);
        output.WriteNumber(number);
    }

    private sealed class Decoding(ReadOnlyMemory<byte> body)
    {
        // Keys written by one commit share its stamp again, as they do in a live state.
        private readonly Dictionary<long, CommitStamp> _stamps = [];

        public CommitStamp Stamp { get; private set; } = new(AgentVersion.None, default);

        public List<KeyEntry> Keys { get; } = [];

        public IdempotencyMemory Idempotency { get; private set; } = IdempotencyMemory.Empty;

        public void Read(ref Utf8JsonReader reader)
        {
            Move(ref reader, JsonTokenType.StartObject);
            if (ReadMember(ref reader, "format"u8) != Format)
                throw new FormatException("Its format is not known to this version.");
            long version = ReadMember(ref reader, "version"u8);
            long commitTs = ReadMember(ref reader, "commit_ts"u8);
            Stamp = StampOf(version, commitTs, ReadMember(ref reader, "time_us"u8));
            Move(ref reader, JsonTokenType.PropertyName);
            Move(ref reader, JsonTokenType.StartArray);
            while (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
                Keys.Add(ReadEntry(ref reader));
            Move(ref reader, JsonTokenType.PropertyName);
            Move(ref reader, JsonTokenType.StartArray);
            while (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
                Idempotency = Idempotency.With(ReadRemembered(ref reader), int.MaxValue);
            Move(ref reader, JsonTokenType.EndObject);
        }

        private KeyEntry ReadEntry(ref Utf8JsonReader reader)
        {
            Move(ref reader, JsonTokenType.String);
            byte[] key = new byte[reader.ValueSpan.Length];
            int length = reader.CopyString(key);
            var version = new KeyVersion(ReadNumber(ref reader));
            CommitStamp stamp = ReadStamp(ref reader);
            JsonText value = ReadOptionalRaw(ref reader);
            return new KeyEntry(new Key(length == key.Length ? key : key[..length]), version, value, stamp);
        }

        private RememberedCommit ReadRemembered(ref Utf8JsonReader reader)
        {
            string key = ReadText(ref reader);
            CommitStamp stamp = ReadStamp(ref reader);
            var txnId = Guid.Parse(ReadText(ref reader));
            CommitHash hash = CommitHash.FromBytes(Convert.FromHexString(ReadText(ref reader)));
            ContentDigest content = ContentDigest.FromBytes(Convert.FromHexString(ReadText(ref reader)));
            return new RememberedCommit(key, stamp, txnId, hash, content, ReadOptionalRaw(ref reader));
        }

        private CommitStamp ReadStamp(ref Utf8JsonReader reader) =>
            StampOf(ReadNumber(ref reader), ReadNumber(ref reader), ReadNumber(ref reader));

        private CommitStamp StampOf(long version, long commitTs, long time)
        {
            if (!_stamps.TryGetValue(version, out CommitStamp? stamp))
            {
                stamp = new CommitStamp(new AgentVersion(version), new CommitTime(time), new CommitTs(commitTs));
                _stamps.Add(version, stamp);
            }
            return stamp;
        }

        /// <summary>The value before the closing bracket, copied: a slice would keep the whole snapshot in memory.</summary>
        private JsonText ReadOptionalRaw(ref Utf8JsonReader reader)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.EndArray)
                return default;
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            JsonText raw = JsonText.Trusted(body[start..(int)reader.BytesConsumed].ToArray());
            Move(ref reader, JsonTokenType.EndArray);
            return raw;
        }

        private static long ReadMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
        {
            Move(ref reader, JsonTokenType.PropertyName);
            if (!reader.ValueTextEquals(name))
                throw new FormatException("Its members stand in another order.");
            return ReadNumber(ref reader);
        }

        private static long ReadNumber(ref Utf8JsonReader reader)
        {
            Move(ref reader, JsonTokenType.Number);
            return reader.GetInt64();
        }

        private static string ReadText(ref Utf8JsonReader reader)
        {
            Move(ref reader, JsonTokenType.String);
            return reader.GetString()!;
        }

        private static void Move(ref Utf8JsonReader reader, JsonTokenType expected)
        {
            if (!reader.Read() || reader.TokenType != expected)
                throw new FormatException($"A {expected} was expected at byte {reader.TokenStartIndex}.");
        }
    }
}
