using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>The fields of what reads ask and answer. The rule for their numbers stands at <see cref="ValueFields"/>.</summary>
internal static class ReadFields
{
    public static void Write(WireWriter writer, GetRequest value)
    {
        writer.Bytes(1, value.Key.Utf8);
        WritePoint(writer, 2, value.At);
        writer.Number(3, (byte)value.Consistency);
    }

    public static GetRequest ReadGetRequest(ref WireReader reader)
    {
        Key key = default;
        ReadPoint at = default;
        Consistency consistency = default;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: key = reader.Key(); break;
                case 2: at = reader.Record(ValueFields.ReadReadPoint); break;
                case 3: consistency = (Consistency)reader.Enum(); break;
                default: reader.Skip(); break;
            }
        }
        return new GetRequest(key, at, consistency);
    }

    public static void Write(WireWriter writer, KeyState value)
    {
        writer.Bytes(1, value.Key.Utf8);
        writer.Flag(2, value.Exists);
        writer.Bytes(3, value.Value.Utf8);
        writer.Number(4, value.Version.Value);
        writer.Number(5, value.CommitTs.Value);
        writer.Number(6, value.Time.UnixMicroseconds);
        writer.Number(7, value.AgentVersion.Value);
    }

    public static KeyState ReadKeyState(ref WireReader reader)
    {
        Key key = default;
        bool exists = false;
        JsonText value = default;
        KeyVersion version = default;
        CommitTs commitTs = default;
        CommitTime time = default;
        AgentVersion agentVersion = default;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: key = reader.Key(); break;
                case 2: exists = reader.Flag(); break;
                case 3: value = reader.CheckedJson(); break;
                case 4: version = reader.KeyVersion(); break;
                case 5: commitTs = reader.CommitTs(); break;
                case 6: time = reader.CommitTime(); break;
                case 7: agentVersion = reader.AgentVersion(); break;
                default: reader.Skip(); break;
            }
        }
        return new KeyState(key, exists, value, version, commitTs, time, agentVersion);
    }

    public static void Write(WireWriter writer, ScanRequest value)
    {
        writer.Bytes(1, value.Prefix.Utf8);
        writer.Bytes(2, value.After.Utf8);
        writer.Number(3, value.Limit);
        writer.Flag(4, value.KeysOnly);
        WritePoint(writer, 5, value.At);
        writer.Number(6, (byte)value.Consistency);
    }

    public static ScanRequest ReadScanRequest(ref WireReader reader)
    {
        Key prefix = default, after = default;
        int limit = 0;
        bool keysOnly = false;
        ReadPoint at = default;
        Consistency consistency = default;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: prefix = reader.Key(); break;
                case 2: after = reader.Key(); break;
                case 3: limit = reader.Int32(); break;
                case 4: keysOnly = reader.Flag(); break;
                case 5: at = reader.Record(ValueFields.ReadReadPoint); break;
                case 6: consistency = (Consistency)reader.Enum(); break;
                default: reader.Skip(); break;
            }
        }
        return new ScanRequest(prefix, after, limit, keysOnly, at, consistency);
    }

    public static void Write(WireWriter writer, ScanPage value)
    {
        writer.Number(1, value.AgentVersion.Value);
        if (!value.Items.IsDefault)
        {
            foreach (KeyState item in value.Items)
                writer.Record(2, item, Write);
        }
        writer.Flag(3, value.HasMore);
    }

    public static ScanPage ReadScanPage(ref WireReader reader)
    {
        AgentVersion agentVersion = default;
        ImmutableArray<KeyState>.Builder items = ImmutableArray.CreateBuilder<KeyState>(0);
        bool hasMore = false;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: agentVersion = reader.AgentVersion(); break;
                case 2: items.Add(reader.Record(ReadKeyState)); break;
                case 3: hasMore = reader.Flag(); break;
                default: reader.Skip(); break;
            }
        }
        return new ScanPage(agentVersion, items.DrainToImmutable(), hasMore);
    }

    public static void Write(WireWriter writer, AgentHead value)
    {
        writer.Number(1, value.Version.Value);
        writer.Number(2, value.CommitTs.Value);
        writer.Number(3, value.Time.UnixMicroseconds);
        writer.Hash(4, value.Hash);
        writer.Number(5, value.KeyCount);
        writer.Number(6, value.Bytes);
        writer.Number(7, value.FirstVersion.Value);
    }

    public static AgentHead ReadAgentHead(ref WireReader reader)
    {
        AgentVersion version = default, firstVersion = default;
        CommitTs commitTs = default;
        CommitTime time = default;
        CommitHash hash = default;
        long keyCount = 0, bytes = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: version = reader.AgentVersion(); break;
                case 2: commitTs = reader.CommitTs(); break;
                case 3: time = reader.CommitTime(); break;
                case 4: hash = reader.Hash(); break;
                case 5: keyCount = reader.Number(); break;
                case 6: bytes = reader.Number(); break;
                case 7: firstVersion = reader.AgentVersion(); break;
                default: reader.Skip(); break;
            }
        }
        return new AgentHead(version, commitTs, time, hash, keyCount, bytes, firstVersion);
    }

    private static void WritePoint(WireWriter writer, int field, ReadPoint point)
    {
        if (point != ReadPoint.Latest)
            writer.Record(field, point, ValueFields.Write);
    }
}
