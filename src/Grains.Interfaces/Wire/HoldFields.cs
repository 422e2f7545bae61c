using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>The fields of the protocol between a coordinator and its participants. The rule for their numbers stands at <see cref="ValueFields"/>.</summary>
internal static class HoldFields
{
    public static void Write(WireWriter writer, HoldRequest value)
    {
        writer.Id(1, value.TxnId);
        writer.Record(2, value.Commit, CommitFields.Write);
        writer.Number(3, value.Lease.Ticks);
        if (value.TriedAfter is { } triedAfter)
            writer.NumberAlways(4, triedAfter.Value);
        writer.Id(5, value.HoldId);
    }

    public static HoldRequest ReadHoldRequest(ref WireReader reader)
    {
        Guid txnId = default;
        var commit = new CommitRequest([]);
        TimeSpan lease = default;
        AgentVersion? triedAfter = null;
        Guid? holdId = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: txnId = reader.Id(); break;
                case 2: commit = reader.Record(CommitFields.ReadCommitRequest); break;
                case 3: lease = new TimeSpan(reader.Number()); break;
                case 4: triedAfter = reader.AgentVersion(); break;
                case 5: holdId = reader.Id(); break;
                default: reader.Skip(); break;
            }
        }
        return new HoldRequest(txnId, commit, lease, triedAfter, holdId);
    }

    public static void Write(WireWriter writer, HeldAgent value)
    {
        writer.Number(1, value.Version.Value);
        writer.Hash(2, value.Hash);
        if (value.Commit is { } commit)
            writer.Record(3, commit, HistoryFields.Write);
        if (value.Repeat is { } repeat)
            writer.Record(4, repeat, CommitFields.Write);
        writer.Number(5, value.StoreKey);
    }

    public static HeldAgent ReadHeldAgent(ref WireReader reader)
    {
        AgentVersion version = default;
        CommitHash hash = default;
        JournalCommit? commit = null;
        CommitReceipt? repeat = null;
        long storeKey = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: version = reader.AgentVersion(); break;
                case 2: hash = reader.Hash(); break;
                case 3: commit = reader.Record(HistoryFields.ReadJournalCommit); break;
                case 4: repeat = reader.Record(CommitFields.ReadCommitReceipt); break;
                case 5: storeKey = reader.Number(); break;
                default: reader.Skip(); break;
            }
        }
        return new HeldAgent(version, hash, storeKey, commit, repeat);
    }

    public static void Write(WireWriter writer, HoldEnd value)
    {
        writer.Number(1, (byte)value.Outcome);
        writer.Number(2, value.CommitTs.Value);
    }

    public static HoldEnd ReadHoldEnd(ref WireReader reader)
    {
        HoldOutcome outcome = default;
        CommitTs commitTs = default;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: outcome = (HoldOutcome)reader.Enum(); break;
                case 2: commitTs = reader.CommitTs(); break;
                default: reader.Skip(); break;
            }
        }
        return new HoldEnd(outcome, commitTs);
    }
}
