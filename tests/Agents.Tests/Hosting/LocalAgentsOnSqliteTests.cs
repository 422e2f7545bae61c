using Statehouse.Journal;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Agents.Tests.Hosting;

public sealed class LocalAgentsOnSqliteTests : StoreHostTests
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("statehouse-test-");

    protected override async Task<IJournalStore> OpenStoreAsync() => await SqliteJournalStore.OpenAsync(
        new SqliteJournalOptions { DataDirectory = _directory.FullName }, SilentOperatorLog.Instance, Cancellation);

    protected override Task DropAsync()
    {
        _directory.Delete(recursive: true);
        return Task.CompletedTask;
    }
}
