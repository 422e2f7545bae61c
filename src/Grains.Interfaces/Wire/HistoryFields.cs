using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>The fields of commits as a journal keeps them. The rule for their numbers stands at <see cref="ValueFields"/>.</summary>
internal static class HistoryFields
{
    public static void Write(WireWriter writer, HistoryRequest value)
    {
        writer.Number(1, value.From.Value);
        if (value.To is { } to)
            writer.NumberAlways(2, to.Value);
        writer.Number(3, value.Limit);
        writer.Flag(4, value.NewestFirst);
    }

    public static HistoryRequest ReadHistoryRequest(ref WireReader reader)
    {
        AgentVersion from = default;
        AgentVersion? to = null;
        int limit = 0;
        bool newestFirst = false;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: from = reader.AgentVersion(); break;
                case 2: to = reader.AgentVersion(); break;
                case 3: limit = reader.Int32(); break;
                case 4: newestFirst = reader.Flag(); break;
                default: reader.Skip(); break;
            }
        }
        return new HistoryRequest(from, to, limit, newestFirst);
    }

    public static void Write(WireWriter writer, JournalCommit value)
    {
        writer.Number(1, value.Version.Value);
        writer.Number(2, value.CommitTs.Value);
        writer.Number(3, value.Time.UnixMicroseconds);
        writer.Id(4, value.TxnId);
        writer.Hash(5, value.Hash);
        writer.Bytes(6, value.Body.Span);
        if (value.Index is { } index)
            writer.Record(7, index, IndexFields.Write);
    }

    public static JournalCommit ReadJournalCommit(ref WireReader reader)
    {
        AgentVersion version = default;
        CommitTs commitTs = default;
        CommitTime time = default;
        Guid txnId = default;
        CommitHash hash = default;
        byte[] body = [];
        IndexRow? index = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: version = reader.AgentVersion(); break;
                case 2: commitTs = reader.CommitTs(); break;
                case 3: time = reader.CommitTime(); break;
                case 4: txnId = reader.Id(); break;
                case 5: hash = reader.Hash(); break;
                case 6: body = reader.Bytes().ToArray(); break;
                case 7: index = reader.Record(IndexFields.ReadIndexRow); break;
                default: reader.Skip(); break;
            }
        }
        return new JournalCommit(version, commitTs, time, txnId, hash, body) { Index = index };
    }

    public static void Write(WireWriter writer, HistoryPage value)
    {
        if (!value.Commits.IsDefault)
        {
            foreach (JournalCommit commit in value.Commits)
                writer.Record(1, commit, Write);
        }
        writer.Flag(2, value.HasMore);
    }

    public static HistoryPage ReadHistoryPage(ref WireReader reader)
    {
        ImmutableArray<JournalCommit>.Builder commits = ImmutableArray.CreateBuilder<JournalCommit>(0);
        bool hasMore = false;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: commits.Add(reader.Record(ReadJournalCommit)); break;
                case 2: hasMore = reader.Flag(); break;
                default: reader.Skip(); break;
            }
        }
        return new HistoryPage(commits.DrainToImmutable(), hasMore);
    }
}
