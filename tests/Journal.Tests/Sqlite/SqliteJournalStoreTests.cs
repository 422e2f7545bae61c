using Statehouse.Journal.Sqlite;

namespace Statehouse.Journal.Tests;

/// <summary>The conformance suite over SQLite. What only SQLite has is tested in the other Sqlite… classes.</summary>
public sealed class SqliteJournalStoreTests : JournalStoreConformance
{
    private readonly TemporaryDirectory _directory = new();

    protected override async Task<IJournalStore> OpenStoreAsync() =>
        await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = _directory.Path }, OperatorLog, Cancellation);

    protected override Task DamageSnapshotAsync(AgentId agent, AgentVersion version)
    {
        using var database = new SqliteDatabase(Path.Combine(_directory.Path, "journal.db"), mayCreate: false, TimeSpan.FromSeconds(5));
        database.Prepare(
                """
                update snapshot set body = x'00' || substr(body, 2)
                where version = ?4 and stream_id = (select stream_id from stream where kind = ?1 and namespace = ?2 and name = ?3)
                """)
            .BindAgent(agent)
            .Bind(4, version.Value)
            .Run();
        Assert.Equal(1, database.Changes);
        return Task.CompletedTask;
    }

    protected override Task DropDatabaseAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }
}
