using Npgsql;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>What opening a database accepts, and how it refuses the rest.</summary>
public sealed class PostgresOpeningTests : PostgresFixture
{
    [Fact]
    public async Task Four_servers_that_start_at_once_on_an_empty_database_migrate_it_once()
    {
        PostgresJournalStore[] stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => OpenAsync(), Cancellation)));

        Assert.Single(OperatorLog.Messages, message => message.Message.Contains("applied migrations", StringComparison.Ordinal));
        Assert.Equal(MigrationSet.Journal.Migrations.Count, await QueryAsync<long>("select count(*) from statehouse.migration"));
        var agent = new Commits("agent");
        foreach (PostgresJournalStore store in stores)
            await AppendAsync(store, agent);
        Assert.Equal(4, (await VerifyAsync(stores[0], agent)).Count);
    }

    [Fact]
    public async Task A_migration_that_another_server_is_applying_is_waited_for()
    {
        await using NpgsqlConnection other = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(other, "begin; " + SqlText.MigrationLock);

        Task<PostgresJournalStore> opening = OpenAsync();
        await PostgresCluster.WaitUntilAsync(
            Database, "select exists (select from pg_locks where locktype = 'advisory' and not granted)", "the opening store waits its turn");
        Assert.False(opening.IsCompleted);
        await RunAsync(other, "commit");

        await (await opening).PingAsync(Cancellation);
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await OpenAsync();
        await ExecuteAsync("insert into statehouse.migration (number, name, sha256) values (999, '0999_future.sql', '\\x00')");

        string message = await RefusalAsync();

        Assert.Contains("999 (0999_future.sql)", message, StringComparison.Ordinal);
        Assert.Contains($"knows up to {MigrationSet.Journal.Migrations.Count}", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_was_applied_with_another_text_is_refused_by_name()
    {
        await OpenAsync();
        await ExecuteAsync("update statehouse.migration set sha256 = set_byte(sha256, 0, get_byte(sha256, 0) # 1) where number = 2");

        Assert.Contains("Migration 2 (0002_append.sql)", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_that_lacks_a_migration_in_the_middle_is_refused()
    {
        await OpenAsync();
        await ExecuteAsync("delete from statehouse.migration where number = 2");

        Assert.Contains("lacks migration 2", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_the_database_as_it_was()
    {
        // Something of ours is in the way of the first migration; the schema itself is not.
        await ExecuteAsync("create schema statehouse; create table statehouse.journal (mine integer)");

        await RefusalAsync();

        Assert.False(await QueryAsync<bool>("select to_regclass('statehouse.migration') is not null or to_regclass('statehouse.stream') is not null"));
    }

    [Fact]
    public async Task A_database_that_is_not_UTF8_is_refused()
    {
        string latin = await Cluster.CreateDatabaseAsync("LATIN1");
        Assert.Contains("LATIN1", await RefusalAsync(latin), StringComparison.Ordinal);
        await Cluster.DropDatabaseAsync(latin);
    }

    [Theory]
    [InlineData("Database=no_such_database", "3D000")]
    [InlineData("Password=a-wrong-secret", "28P01")]
    [InlineData("Username=nobody", "28P01")]
    public async Task A_connection_string_that_leads_nowhere_is_refused_without_its_secrets(string setting, string sqlState)
    {
        string message = await RefusalAsync(Database + ";" + setting);

        Assert.Contains(sqlState, message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=localhost;Pasword=a-secret")]
    [InlineData("Host=localhost;Port=a-secret")]
    [InlineData("a-secret")]
    public async Task A_malformed_connection_string_is_refused_without_its_secrets(string connectionString)
    {
        JournalOpenException refusal = await RefusedAsync(connectionString);
        Assert.DoesNotContain("secret", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_out_of_range_are_refused_by_name()
    {
        PostgresJournalOptions good = new() { ConnectionString = Database };
        PostgresJournalOptions[] bad =
        [
            good with { WriterCount = 0 }, good with { WriterCount = 33 }, good with { ReaderConnectionsMax = 0 },
            good with { CommandTimeout = TimeSpan.Zero }, good with { ConnectTimeout = TimeSpan.FromHours(1) },
        ];
        foreach (PostgresJournalOptions options in bad)
        {
            var refusal = await Assert.ThrowsAsync<JournalOpenException>(() => PostgresJournalStore.OpenAsync(options, OperatorLog, Cancellation));
            Assert.Contains("must be", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Weak_commits_are_reported_and_not_taken_over()
    {
        await ExecuteAsync($"alter database {new NpgsqlConnectionStringBuilder(Database).Database} set synchronous_commit = off");
        await ExecuteAsync("create table public.seen (value text)");
        PostgresJournalStore store = await OpenAsync();
        await ExecuteAsync(
            """
            create function public.note() returns trigger language plpgsql as
            $$ begin insert into public.seen values (current_setting('synchronous_commit')); return new; end $$;
            create trigger note before insert on statehouse.journal for each row execute function public.note()
            """);

        await AppendAsync(store, new Commits("agent"));

        Assert.Equal("on", await QueryAsync<string>("select value from public.seen"));
        Assert.Contains(OperatorLog.Messages, m => m.Level == OperatorLogLevel.Warning && m.Message.Contains("synchronous_commit = off", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_without_fsync_is_reported()
    {
        await using PostgresCluster careless = await PostgresCluster.StartNewAsync("fsync = off", "full_page_writes = off");
        await using (await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = await careless.CreateDatabaseAsync() }, OperatorLog, Cancellation))
        {
            string[] warnings = [.. OperatorLog.Messages.Where(m => m.Level == OperatorLogLevel.Warning).Select(m => m.Message)];
            Assert.Equal(2, warnings.Length);
            Assert.Contains("fsync = off", warnings[0], StringComparison.Ordinal);
            Assert.Contains("full_page_writes = off", warnings[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_role_that_may_only_use_the_schema_can_serve()
    {
        await OpenAsync();
        string role = $"server_{Guid.NewGuid():N}";
        await ExecuteAsync(
            $"""
            create role {role} login password 'pass';
            grant usage on schema statehouse to {role};
            grant select, insert, update, delete on all tables in schema statehouse to {role};
            grant usage, select on all sequences in schema statehouse to {role};
            """);
        string asRole = new NpgsqlConnectionStringBuilder(Database) { Username = role, Password = "pass" }.ConnectionString;

        await using (PostgresJournalStore store = await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = asRole }, OperatorLog, Cancellation))
        {
            var agent = new Commits("agent");
            await AppendAsync(store, agent);
            Assert.Equal(agent.Acknowledged[0].CommitTs, await store.ReadFeedEndAsync(Cancellation));
        }
        await ExecuteAsync($"drop owned by {role}; drop role {role}");
    }

    private Task<T> QueryAsync<T>(string sql) => PostgresCluster.QueryAsync<T>(Database, sql);

    private async Task<string> RefusalAsync(string? connectionString = null) => (await RefusedAsync(connectionString ?? Database)).Message;

    private Task<JournalOpenException> RefusedAsync(string connectionString) => Assert.ThrowsAsync<JournalOpenException>(
        () => PostgresJournalStore.OpenAsync(new PostgresJournalOptions { ConnectionString = connectionString }, OperatorLog, Cancellation));
}
