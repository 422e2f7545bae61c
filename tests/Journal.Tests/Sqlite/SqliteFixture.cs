using Statehouse.Journal.Sqlite;

namespace Statehouse.Journal.Tests;

/// <summary>A data directory, the store on it, and a way behind the store's back.</summary>
internal sealed class SqliteFixture : IAsyncDisposable
{
    private readonly TemporaryDirectory? _owned;

    /// <param name="directory">null = a temporary one, dropped at the end.</param>
    public SqliteFixture(string? directory = null)
    {
        _owned = directory is null ? new TemporaryDirectory() : null;
        DataDirectory = directory ?? _owned!.Path;
    }

    public string DataDirectory { get; }

    public string JournalFile => Path.Combine(DataDirectory, "journal.db");

    public SqliteJournalStore? Store { get; private set; }

    public SqliteJournalOptions Options => new() { DataDirectory = DataDirectory, LockWait = TimeSpan.Zero };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async Task<SqliteJournalStore> OpenAsync() =>
        Store = await SqliteJournalStore.OpenAsync(Options, SilentOperatorLog.Instance, Cancellation);

    public async Task CloseAsync()
    {
        if (Store is not null)
            await Store.DisposeAsync();
        Store = null;
    }

    /// <summary>Opens, appends one run, closes.</summary>
    public async Task<Commits> MakeJournalAsync(int commits = 5, int padding = 0)
    {
        await OpenAsync();
        var agent = new Commits("a");
        await AppendAsync(agent, agent.Next([.. Enumerable.Range(0, commits).Select(i => Commits.Body(i, padding))]));
        await CloseAsync();
        return agent;
    }

    public async Task AppendAsync(Commits agent, AppendRun run)
    {
        var unit = new AppendUnit([run]);
        await Store!.WriteAsync([unit], Cancellation);
        Assert.Equal(AppendOutcome.Appended, unit.Outcome);
        agent.Acknowledge(run);
    }

    public async Task<List<JournalCommit>> ReadAsync(AgentId agent) =>
        await Store!.ReadForwardAsync(new JournalHandle(agent), new AgentVersion(1), new AgentVersion(long.MaxValue), Cancellation)
            .ToListAsync(Cancellation);

    /// <summary>A connection beside the store's, as an operator's shell would have.</summary>
    public SqliteDatabase OpenBeside() => new(JournalFile, mayCreate: false, TimeSpan.FromSeconds(5));

    /// <summary>Changes the closed database with SQL of the test's own.</summary>
    public void Tamper(string sql)
    {
        using SqliteDatabase database = OpenBeside();
        database.ExecuteScript(sql);
    }

    /// <summary>What opening is refused with: always one line that names the directory.</summary>
    public async Task<string> RefusalAsync()
    {
        JournalOpenException refused = await Assert.ThrowsAsync<JournalOpenException>(OpenAsync);
        Assert.Contains(DataDirectory, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        return refused.Message;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _owned?.Dispose();
    }
}
