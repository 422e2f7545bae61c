namespace Statehouse.Journal.Sqlite.Writing;

/// <summary>Removes agents with all that is kept of them, in one transaction; each only where its journal ends as expected.</summary>
internal sealed class AgentRemoval(IReadOnlyList<AgentEnd> agents)
{
    private readonly bool[] _isRemoved = new bool[agents.Count];

    /// <summary>For each agent; final once acknowledged.</summary>
    public IReadOnlyList<bool> IsRemoved => _isRemoved;

    public void Write(SqliteDatabase database)
    {
        for (int i = 0; i < agents.Count; i++)
            _isRemoved[i] = TryRemove(database, agents[i]);
    }

    /// <summary>After the fsync: the handles forget rows that are gone.</summary>
    public void Acknowledge()
    {
        for (int i = 0; i < agents.Count; i++)
        {
            if (_isRemoved[i])
                agents[i].Handle.StoreKey = 0;
        }
    }

    private static bool TryRemove(SqliteDatabase database, AgentEnd end)
    {
        // By name: a row number that the handle knows may be from before an earlier removal.
        long streamId = StreamRows.Find(database, end.Handle.Agent);
        database.Prepare(Sql.StreamDelete).Bind(1, streamId).Bind(2, end.Version.Value).Bind(3, end.Hash.AsSpan()).Run();
        if (database.Changes == 0)
            return false;
        database.Prepare(Sql.HighWaterRaise).Bind(1, streamId).Run();
        database.Prepare(Sql.JournalDelete).Bind(1, streamId).Run();
        database.Prepare(Sql.SnapshotDeleteAll).Bind(1, streamId).Run();
        IndexRows.Delete(database, streamId, end.Handle.Agent);
        return true;
    }
}
