using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>The fields of what commits ask and answer. The rule for their numbers stands at <see cref="ValueFields"/>.</summary>
internal static class CommitFields
{
    public static void Write(WireWriter writer, Operation value)
    {
        writer.Number(1, (byte)value.Kind);
        writer.Bytes(2, value.Key.Utf8);
        writer.Bytes(3, value.Value.Utf8);
        if (value.IfVersion is { } version)
            writer.NumberAlways(4, version.Value);
        if (value.IfLive is { } live)
            writer.NumberAlways(5, live ? 1 : 0);
        writer.Flag(6, value.IsDetached);
        writer.Flag(7, value.IsWhole);
    }

    public static Operation ReadOperation(ref WireReader reader)
    {
        OperationKind kind = default;
        Key key = default;
        JsonText value = default;
        KeyVersion? ifVersion = null;
        bool? ifLive = null;
        bool isDetached = false;
        bool isWhole = false;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: kind = (OperationKind)reader.Enum(); break;
                case 2: key = reader.Key(); break;
                case 3: value = reader.UncheckedJson("value"); break;
                case 4: ifVersion = reader.KeyVersion(); break;
                case 5: ifLive = reader.Flag(); break;
                case 6: isDetached = reader.Flag(); break;
                case 7: isWhole = reader.Flag(); break;
                default: reader.Skip(); break;
            }
        }
        return new Operation(kind, key, value, ifVersion, ifLive) { IsDetached = isDetached, IsWhole = isWhole };
    }

    public static void Write(WireWriter writer, ReadCheck value)
    {
        writer.Bytes(1, value.Key.Utf8);
        writer.Number(2, value.Version.Value);
    }

    public static ReadCheck ReadReadCheck(ref WireReader reader)
    {
        Key key = default;
        KeyVersion version = default;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: key = reader.Key(); break;
                case 2: version = reader.KeyVersion(); break;
                default: reader.Skip(); break;
            }
        }
        return new ReadCheck(key, version);
    }

    public static void Write(WireWriter writer, CommitRequest value)
    {
        if (!value.Operations.IsDefault)
        {
            foreach (Operation operation in value.Operations)
                writer.Record(1, operation, Write);
        }
        if (value.IfAgentVersion is { } version)
            writer.NumberAlways(2, version.Value);
        writer.Name(3, "idempotency_key", value.IdempotencyKey);
        writer.Bytes(4, value.Metadata.Utf8);
        if (!value.Reads.IsDefault)
        {
            foreach (ReadCheck read in value.Reads)
                writer.Record(5, read, Write);
        }
        writer.Id(6, value.TxnId);
        if (value.IfAgentCommitTs is { } position)
            writer.NumberAlways(7, position.Value);
    }

    public static CommitRequest ReadCommitRequest(ref WireReader reader)
    {
        ImmutableArray<Operation>.Builder operations = ImmutableArray.CreateBuilder<Operation>(1);
        AgentVersion? ifAgentVersion = null;
        string? idempotencyKey = null;
        JsonText metadata = default;
        ImmutableArray<ReadCheck>.Builder? reads = null;
        Guid? txnId = null;
        CommitTs? ifAgentCommitTs = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 7: ifAgentCommitTs = reader.CommitTs(); break;
                case 1: operations.Add(reader.Record(ReadOperation)); break;
                case 2: ifAgentVersion = reader.AgentVersion(); break;
                case 3: idempotencyKey = reader.Text(); break;
                case 4: metadata = reader.UncheckedJson("metadata"); break;
                case 5: (reads ??= ImmutableArray.CreateBuilder<ReadCheck>()).Add(reader.Record(ReadReadCheck)); break;
                case 6: txnId = reader.Id(); break;
                default: reader.Skip(); break;
            }
        }
        return new CommitRequest(operations.DrainToImmutable())
        {
            IfAgentVersion = ifAgentVersion,
            IfAgentCommitTs = ifAgentCommitTs,
            IdempotencyKey = idempotencyKey,
            Metadata = metadata,
            Reads = reads?.DrainToImmutable() ?? [],
            TxnId = txnId,
        };
    }

    public static void Write(WireWriter writer, CommitReceipt value)
    {
        writer.Number(1, value.Version.Value);
        writer.Number(2, value.CommitTs.Value);
        writer.Number(3, value.Time.UnixMicroseconds);
        writer.Id(4, value.TxnId);
        writer.Hash(5, value.Hash);
        writer.Name(6, "idempotency_key", value.IdempotencyKey);
        writer.Bytes(7, value.Metadata.Utf8);
        writer.Numbers(8, value.KeyVersions.AsSpan());
        writer.Flag(9, value.Replayed);
    }

    /// <summary>Absent key versions stay default: "no longer in memory", not "no operation".</summary>
    public static CommitReceipt ReadCommitReceipt(ref WireReader reader)
    {
        AgentVersion version = default;
        CommitTs commitTs = default;
        CommitTime time = default;
        Guid txnId = default;
        CommitHash hash = default;
        string? idempotencyKey = null;
        JsonText metadata = default;
        ImmutableArray<KeyVersion> keyVersions = default;
        bool replayed = false;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: version = reader.AgentVersion(); break;
                case 2: commitTs = reader.CommitTs(); break;
                case 3: time = reader.CommitTime(); break;
                case 4: txnId = reader.Id(); break;
                case 5: hash = reader.Hash(); break;
                case 6: idempotencyKey = reader.Text(); break;
                case 7: metadata = reader.CheckedJson(); break;
                case 8: keyVersions = reader.KeyVersions(); break;
                case 9: replayed = reader.Flag(); break;
                default: reader.Skip(); break;
            }
        }
        return new CommitReceipt(version, commitTs, time, txnId, hash, idempotencyKey, metadata, keyVersions, replayed);
    }

    public static void Write(WireWriter writer, AgentCommitRequest value)
    {
        writer.Record(1, value.Agent, ValueFields.Write);
        writer.Record(2, value.Commit, Write);
    }

    public static AgentCommitRequest ReadAgentCommitRequest(ref WireReader reader)
    {
        var agent = new AgentId("", "");
        var commit = new CommitRequest([]);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: agent = reader.Record(ValueFields.ReadAgentId); break;
                case 2: commit = reader.Record(ReadCommitRequest); break;
                default: reader.Skip(); break;
            }
        }
        return new AgentCommitRequest(agent, commit);
    }
}
