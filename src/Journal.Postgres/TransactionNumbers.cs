namespace Statehouse.Journal.Postgres;

/// <summary>
/// Which commits of an append share a commit_ts: those of one unit with one txn id. The numbers count from 1 in the
/// order in which their transactions first appear, so that what statehouse.append_units draws for them grows likewise.
/// </summary>
internal sealed class TransactionNumbers
{
    /// <summary>The number of each commit.</summary>
    public int[] OfCommits { get; }

    /// <summary>The unit of each number.</summary>
    public int[] Units { get; }

    /// <param name="slots">The runs.</param>
    /// <param name="txnIds">Of their commits, run by run.</param>
    public TransactionNumbers(IReadOnlyList<RunSlot> slots, ReadOnlySpan<Guid> txnIds)
    {
        OfCommits = new int[txnIds.Length];
        var known = new Dictionary<(int Unit, Guid TxnId), int>();
        var units = new List<int>();
        int commit = 0;
        foreach (RunSlot slot in slots)
        {
            for (int i = 0; i < slot.Run.Commits.Count; i++, commit++)
            {
                if (!known.TryGetValue((slot.Unit, txnIds[commit]), out int number))
                {
                    units.Add(slot.Unit);
                    number = units.Count;
                    known.Add((slot.Unit, txnIds[commit]), number);
                }
                OfCommits[commit] = number;
            }
        }
        Units = [.. units];
    }
}
