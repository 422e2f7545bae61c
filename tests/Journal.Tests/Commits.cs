using System.Globalization;
using System.Text;

namespace Statehouse.Journal.Tests;

/// <summary>
/// One agent's journal as a test grows it: builds runs on the end that it knows, and moves that end when told that a
/// run went in. What it holds is what a store must give back.
/// </summary>
public sealed class Commits
{
    private readonly List<JournalCommit> _acknowledged = [];

    public Commits(AgentId agent)
    {
        Handle = new JournalHandle(agent);
        Hash = CommitHash.Genesis(agent);
    }

    public Commits(string name)
        : this(new AgentId("default", name))
    {
    }

    public AgentId Agent => Handle.Agent;

    /// <summary>Kept from append to append, as the owner of a loaded agent does. Replace it to forget the store's row number.</summary>
    public JournalHandle Handle { get; private set; }

    public AgentVersion Version => new(_acknowledged.Count);

    public CommitHash Hash { get; private set; }

    /// <summary>Of the last commit; before the first, the moment that the first will have.</summary>
    public CommitTime Time { get; private set; } = new(1_767_225_600_000_000);

    /// <summary>Everything that was acknowledged, with its commit_ts: versions 1, 2, 3, …</summary>
    public IReadOnlyList<JournalCommit> Acknowledged => _acknowledged;

    /// <summary>The whole feed, page by page.</summary>
    public static async Task<List<FeedCommit>> ReadFeedAsync(IJournalStore store, CancellationToken cancellationToken)
    {
        var all = new List<FeedCommit>();
        FeedPage page;
        CommitTs position = CommitTs.None;
        do
        {
            page = await store.ReadFeedAsync(position, 100, null, cancellationToken);
            all.AddRange(page.Commits);
            position = page.Through;
        }
        while (!page.AtEnd);
        return all;
    }

    public void ForgetHandle() => Handle = new JournalHandle(Agent);

    /// <summary>A run of small commits on the end, each a transaction of its own, each a microsecond after the one before.</summary>
    public AppendRun Next(int count = 1) =>
        Next([.. Enumerable.Range(1, count).Select(i => Body(Version.Value + i))]);

    /// <summary>A run with these bodies on the end, each a transaction of its own.</summary>
    public AppendRun Next(params IReadOnlyList<byte[]> bodies) => Next(bodies, _ => Guid.NewGuid());

    /// <summary>One commit of a transaction that other agents may share.</summary>
    public AppendRun Next(Guid txnId) => Next([Body(Version.Value + 1)], _ => txnId);

    /// <summary>One commit at a moment that the test chooses.</summary>
    public AppendRun NextAt(CommitTime time)
    {
        Time = new CommitTime(time.UnixMicroseconds - 1);
        return Next();
    }

    /// <summary>The run with index rows on some of its commits; null = none.</summary>
    public static AppendRun Indexed(AppendRun run, params IReadOnlyList<IndexRow?> rows) => new(
        run.Handle, run.ExpectedVersion, run.ExpectedHash, [.. run.Commits.Select((commit, i) => commit with { Index = rows[i] })]);

    /// <summary>The unit with an index row on each run's last commit, which tells that commit's version.</summary>
    public static AppendUnit Indexed(AppendUnit unit) => new([.. unit.Runs.Select(run =>
    {
        JournalCommit last = run.Commits[^1];
        var row = new IndexRow((byte)(last.Version.Value % 5), "crash", [$"v={last.Version}"], new CommitTime(1), null, Body(last.Version.Value));
        return Indexed(run, [.. run.Commits.Select(commit => commit == last ? row : null)]);
    })]);

    /// <summary>The index says of each agent what its journal's last commit said, as <see cref="Indexed(AppendUnit)"/> wrote it.</summary>
    public static async Task AssertIndexMatchesAsync(IJournalStore store, IReadOnlyCollection<AgentId> agents, CancellationToken cancellationToken)
    {
        var query = new IndexQuery(AgentKind.Agent, agents.First().Namespace, 1000);
        IReadOnlyList<IndexedAgent> found = await ((IAgentIndex)store).QueryAsync(query, cancellationToken);
        foreach (AgentId agent in agents)
        {
            JournalHead? head = await store.ReadHeadAsync(new JournalHandle(agent), cancellationToken);
            IndexedAgent? row = found.SingleOrDefault(f => f.Agent == agent);
            Assert.Equal((head?.Version, head?.Time), (row?.Version, row?.UpdatedAt));
            if (row is null)
                continue;
            Assert.Equal(Body(row.Version.Value), row.Row.Summary.ToArray());
            Assert.Contains(await ((IAgentIndex)store).QueryAsync(query with { Labels = [$"v={row.Version}"] }, cancellationToken), f => f.Agent == agent);
        }
        Assert.True(found.Count <= agents.Count, $"{found.Count} index rows for {agents.Count} agents.");
    }

    /// <summary>The run as a unit of its own.</summary>
    public AppendUnit NextUnit(int count = 1) => new([Next(count)]);

    /// <summary>Notes that the run is in the journal, with the positions that the store gave it.</summary>
    public void Acknowledge(AppendRun run)
    {
        for (int i = 0; i < run.Commits.Count; i++)
            Resume(run.Commits[i] with { CommitTs = run.CommitTs[i], Index = null }); // an index row is not read back
    }

    /// <summary>Takes over the next commit of a journal that is there already.</summary>
    public void Resume(JournalCommit commit)
    {
        _acknowledged.Add(commit);
        Hash = commit.Hash;
        Time = commit.Time;
    }

    /// <summary>A run with the same commits, but decided on another end: what a writer that lost its fence would send.</summary>
    public AppendRun NextExpecting(AgentVersion version, CommitHash hash)
    {
        CommitTime time = new(Time.UnixMicroseconds + 1);
        var txnId = Guid.NewGuid();
        byte[] body = Body(version.Value + 1);
        CommitHash next = CommitHash.Chain(hash, version.Next, time, txnId, body);
        return new AppendRun(Handle, version, hash, [new JournalCommit(version.Next, CommitTs.None, time, txnId, next, body)]);
    }

    /// <summary>A body as agents write them, about <paramref name="padding"/> bytes longer than the shortest.</summary>
    public static byte[] Body(long n, int padding = 0) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{n}},"pad":"{{new string('x', padding)}}"}"""));

    private AppendRun Next(IReadOnlyList<byte[]> bodies, Func<int, Guid> txnIdOf)
    {
        var commits = new JournalCommit[bodies.Count];
        CommitHash hash = Hash;
        for (int i = 0; i < commits.Length; i++)
        {
            AgentVersion version = new(Version.Value + 1 + i);
            CommitTime time = new(Time.UnixMicroseconds + 1 + i);
            Guid txnId = txnIdOf(i);
            hash = CommitHash.Chain(hash, version, time, txnId, bodies[i]);
            commits[i] = new JournalCommit(version, CommitTs.None, time, txnId, hash, bodies[i]);
        }
        return new AppendRun(Handle, Version, Hash, commits);
    }
}
