using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>The fields of small values, where they stand by themselves; inside a record most are a field of it.</summary>
/// <remarks>
/// Here and in the other <c>…Fields</c>: a number is one field for ever. A record gains a field under the next free
/// number, with a default that means what its absence meant; none is ever renumbered or used again.
/// </remarks>
internal static class ValueFields
{
    public static void Write(WireWriter writer, AgentId value)
    {
        writer.Name(1, "namespace", value.Namespace);
        writer.Name(2, "agent", value.Name);
        writer.Number(3, (byte)value.Kind);
    }

    public static AgentId ReadAgentId(ref WireReader reader)
    {
        string @namespace = "", name = "";
        AgentKind kind = default;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: @namespace = reader.Text(); break;
                case 2: name = reader.Text(); break;
                case 3: kind = (AgentKind)reader.Enum(); break;
                default: reader.Skip(); break;
            }
        }
        return new AgentId(kind, @namespace, name);
    }

    public static void Write(WireWriter writer, ReadPoint value)
    {
        writer.Number(1, (byte)value.Kind);
        writer.Number(2, value.Value);
    }

    public static ReadPoint ReadReadPoint(ref WireReader reader)
    {
        ReadPointKind kind = default;
        long value = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: kind = (ReadPointKind)reader.Enum(); break;
                case 2: value = reader.Number(); break;
                default: reader.Skip(); break;
            }
        }
        return new ReadPoint(kind, value);
    }

    public static void Write(WireWriter writer, AgentVersion value) => writer.Number(1, value.Value);

    public static AgentVersion ReadAgentVersion(ref WireReader reader) => new(ReadNumber(ref reader));

    public static void Write(WireWriter writer, KeyVersion value) => writer.Number(1, value.Value);

    public static KeyVersion ReadKeyVersion(ref WireReader reader) => new(ReadNumber(ref reader));

    public static void Write(WireWriter writer, CommitTs value) => writer.Number(1, value.Value);

    public static CommitTs ReadCommitTs(ref WireReader reader) => new(ReadNumber(ref reader));

    public static void Write(WireWriter writer, CommitTime value) => writer.Number(1, value.UnixMicroseconds);

    public static CommitTime ReadCommitTime(ref WireReader reader) => new(ReadNumber(ref reader));

    public static void Write(WireWriter writer, CommitHash value) => writer.Hash(1, value);

    public static CommitHash ReadCommitHash(ref WireReader reader)
    {
        CommitHash hash = default;
        while (reader.Next())
        {
            if (reader.Field == 1)
                hash = reader.Hash();
            else
                reader.Skip();
        }
        return hash;
    }

    public static void Write(WireWriter writer, Key value) => writer.Bytes(1, value.Utf8);

    public static Key ReadKey(ref WireReader reader)
    {
        Key key = default;
        while (reader.Next())
        {
            if (reader.Field == 1)
                key = reader.Key();
            else
                reader.Skip();
        }
        return key;
    }

    public static void Write(WireWriter writer, JsonText value) => writer.Bytes(1, value.Utf8);

    /// <summary>By itself it may be on its way into a commit, so it is checked.</summary>
    public static JsonText ReadJsonText(ref WireReader reader)
    {
        JsonText text = default;
        while (reader.Next())
        {
            if (reader.Field == 1)
                text = reader.UncheckedJson("value");
            else
                reader.Skip();
        }
        return text;
    }

    private static long ReadNumber(ref WireReader reader)
    {
        long value = 0;
        while (reader.Next())
        {
            if (reader.Field == 1)
                value = reader.Number();
            else
                reader.Skip();
        }
        return value;
    }
}
