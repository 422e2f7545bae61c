namespace Statehouse.Journal.Tests;

/// <summary>
/// The contract of <see cref="IJournalStore"/> in executable form. Every store derives from this and passes all of it;
/// a clause that only one store has is tested beside that store.
/// </summary>
public abstract partial class JournalStoreConformance : IAsyncLifetime
{
    private IJournalStore? _store;

    /// <summary>The store under test, opened on a database of this test's own that started empty.</summary>
    protected IJournalStore Store => _store ?? throw new InvalidOperationException("The store is not open.");

    /// <summary>What the store must report to: hand it to the store when opening it.</summary>
    protected CollectingOperatorLog OperatorLog { get; } = new();

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Opens the test's database, which the first call makes empty. Where the store is shared
    /// (<see cref="IJournalStore.IsShared"/>), further calls open further handles, as other processes would.
    /// </summary>
    protected abstract Task<IJournalStore> OpenStoreAsync();

    /// <summary>Breaks the stored body of one snapshot behind the store's back.</summary>
    protected abstract Task DamageSnapshotAsync(AgentId agent, AgentVersion version);

    /// <summary>Drops the database. The store is closed already.</summary>
    protected abstract Task DropDatabaseAsync();

    public virtual async ValueTask InitializeAsync() => _store = await OpenStoreAsync();

    public virtual async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        await DropDatabaseAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the store and opens the same data again, as a restart does.</summary>
    protected async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        _store = null;
        _store = await OpenStoreAsync();
    }

    protected Task WriteAsync(params AppendUnit[] batch) => Store.WriteAsync(batch, Cancellation);

    /// <summary>Appends small commits in one run, expects them in, and moves the agent's end.</summary>
    protected async Task AppendAsync(Commits agent, int count = 1) => await AppendAsync(agent, agent.Next(count));

    protected async Task AppendAsync(Commits agent, AppendRun run)
    {
        var unit = new AppendUnit([run]);
        await WriteAsync(unit);
        Assert.Equal(AppendOutcome.Appended, unit.Outcome);
        agent.Acknowledge(run);
    }

    protected async Task<IReadOnlyList<JournalCommit>> ReadAllAsync(AgentId agent) =>
        await Store.ReadForwardAsync(new JournalHandle(agent), new AgentVersion(1), new AgentVersion(long.MaxValue), Cancellation)
            .ToListAsync(Cancellation);

    /// <summary>The store's head and commits are exactly what the test had acknowledged.</summary>
    protected async Task AssertJournalIsAsync(Commits expected)
    {
        AssertSameCommits(expected.Acknowledged, await ReadAllAsync(expected.Agent));
        JournalHead? head = await Store.ReadHeadAsync(new JournalHandle(expected.Agent), Cancellation);
        if (expected.Version == AgentVersion.None)
        {
            Assert.Null(head);
            return;
        }
        JournalCommit last = expected.Acknowledged[^1];
        Assert.Equal(new JournalHead(expected.Agent, last.Version, last.CommitTs, last.Time, last.Hash, new AgentVersion(1)), head);
    }

    /// <summary>Equal in every field, bodies byte for byte.</summary>
    protected static void AssertSameCommits(IReadOnlyList<JournalCommit> expected, IReadOnlyList<JournalCommit> actual)
    {
        Assert.Equal(expected.Select(c => c.Version), actual.Select(c => c.Version));
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i] with { Body = default }, actual[i] with { Body = default });
            Assert.True(
                expected[i].Body.Span.SequenceEqual(actual[i].Body.Span),
                $"The body of version {expected[i].Version} differs: {expected[i].Body.Length} bytes written, {actual[i].Body.Length} read.");
        }
    }
}
