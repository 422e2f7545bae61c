namespace Statehouse.Journal.Sqlite.Writing;

/// <summary>Cuts the details off one agent's commits, page by page, each page a transaction: batches go in between.</summary>
internal sealed class DetailCut(JournalHandle handle, AgentVersion from, AgentVersion to)
{
    private const int CommitsPerPage = 200;

    /// <summary>Bodies of a page together; one commit is always taken.</summary>
    private const long BytesPerPage = 2 * 1024 * 1024;

    private readonly AgentVersion _to = to;
    private long? _streamId;
    private AgentVersion _next = from;
    private AgentVersion _pageEnd;
    private long _pageDropped;

    /// <summary>Bytes of bodies that were dropped, and are durably gone.</summary>
    public long Dropped { get; private set; }

    public bool IsDone { get; private set; }

    /// <summary>One page. Runs inside of a transaction; only <see cref="Acknowledge"/> moves on.</summary>
    public void Write(SqliteDatabase database)
    {
        _pageDropped = 0;
        _pageEnd = AgentVersion.None;
        // By the number that the handle knows, and by no other: an agent that took a removed one's name keeps its details.
        long streamId = _streamId ??= StreamRows.Find(database, handle);
        foreach ((AgentVersion version, byte[] canonical) in ReadPage(database, streamId))
            database.Prepare(Sql.CommitCut).Bind(1, streamId).Bind(2, version.Value).Bind(3, StoredBody.Encode(canonical).Span).Run();
    }

    public void Acknowledge()
    {
        Dropped += _pageDropped;
        IsDone = _pageEnd == AgentVersion.None;
        _next = _pageEnd.Next;
    }

    /// <summary>Looks at a page of commits.</summary>
    /// <returns>What is left of those that have a detail.</returns>
    private List<(AgentVersion Version, byte[] Canonical)> ReadPage(SqliteDatabase database, long streamId)
    {
        var cuts = new List<(AgentVersion, byte[])>();
        long bytes = 0;
        using SqliteStatement row = database.Prepare(Sql.CommitsForward).Bind(1, streamId).Bind(2, _next.Value).Bind(3, _to.Value);
        for (int i = 0; i < CommitsPerPage && bytes < BytesPerPage && row.Step(); i++)
        {
            _pageEnd = new AgentVersion(row.Int64(0));
            byte[] body = CommitRows.Body(row, handle.Agent);
            bytes += body.Length;
            int kept = CommitBody.CanonicalLength(body);
            if (kept == body.Length)
                continue;
            _pageDropped += body.Length - kept;
            cuts.Add((_pageEnd, body[..kept]));
        }
        return cuts;
    }
}
