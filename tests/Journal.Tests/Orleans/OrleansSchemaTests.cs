using Npgsql;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>How the Orleans tables come into a database, and which databases are refused.</summary>
public sealed class OrleansSchemaTests : PostgresFixture
{
    private const string HalfDone = "from pg_stat_activity where datname = current_database() and wait_event = 'advisory'";

    private static readonly int MigrationCount = MigrationSet.Orleans.Migrations.Count;

    [Fact]
    public async Task A_database_without_the_tables_is_refused_with_what_to_do()
    {
        Assert.Equal("The Orleans tables are missing: start once with --migrate.", await RefusalAsync());

        Assert.False(await HasSchemaAsync());
    }

    [Fact]
    public async Task Once_applied_the_tables_are_found_and_applying_again_changes_nothing()
    {
        await ApplyAsync();
        await VerifyAsync();
        await ExecuteAsync("insert into statehouse_orleans.OrleansMembershipVersionTable (DeploymentId, Version) values ('mine', 7)");

        await ApplyAsync();

        await VerifyAsync();
        Assert.Equal(7, await QueryAsync<int>("select Version from statehouse_orleans.OrleansMembershipVersionTable where DeploymentId = 'mine'"));
        Assert.Equal([$"PostgreSQL: applied migrations 1..{MigrationCount} of the Orleans tables."], OperatorLog.Messages.Select(m => m.Message));
    }

    [Fact]
    public async Task Eight_silos_that_start_at_once_on_an_empty_database_apply_it_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(ApplyAsync, Cancellation)));

        Assert.Single(OperatorLog.Messages);
        Assert.Equal(MigrationCount, await QueryAsync<long>("select count(*) from statehouse_orleans.migration"));
        await VerifyAsync();
    }

    [Fact]
    public async Task A_server_of_the_journal_and_a_silo_may_migrate_one_database_at_once()
    {
        await Task.WhenAll(
            Task.Run(ApplyAsync, Cancellation),
            Task.Run(() => OpenAsync(), Cancellation),
            Task.Run(ApplyAsync, Cancellation),
            Task.Run(() => OpenAsync(), Cancellation));

        await VerifyAsync();
        Assert.Equal(MigrationSet.Journal.Migrations.Count, await QueryAsync<long>("select count(*) from statehouse.migration"));
        Assert.Equal(MigrationCount, await QueryAsync<long>("select count(*) from statehouse_orleans.migration"));
        await AppendAsync(await OpenAsync(), new Commits("agent"));
    }

    [Fact]
    public async Task Older_tables_are_refused_until_the_missing_migration_is_applied()
    {
        await ApplyAsync();
        await ExecuteAsync(
            $"""
            drop table statehouse_orleans.OrleansRemindersTable;
            delete from statehouse_orleans.OrleansQuery where QueryText like '%OrleansRemindersTable%';
            delete from statehouse_orleans.migration where number = {MigrationCount};
            """);

        Assert.Equal(
            $"The Orleans tables are at migration {MigrationCount - 1} and this version of Statehouse needs {MigrationCount}: start once with --migrate.",
            await RefusalAsync());
        await ApplyAsync();

        await VerifyAsync();
        Assert.Equal($"PostgreSQL: applied migrations {MigrationCount}..{MigrationCount} of the Orleans tables.", OperatorLog.Messages[^1].Message);
    }

    [Fact]
    public async Task Newer_tables_are_refused_by_both()
    {
        await ApplyAsync();
        await ExecuteAsync("insert into statehouse_orleans.migration (number, name, sha256) values (999, '0999-future.sql', '\\x00')");
        string expected = $"The database holds migration 999 (0999-future.sql) of the Orleans tables; this version of Statehouse knows up to {MigrationCount}. Start a newer version.";

        Assert.Equal(expected, await RefusalAsync());
        Assert.Equal(expected, (await Assert.ThrowsAsync<JournalOpenException>(ApplyAsync)).Message);
    }

    [Fact]
    public async Task A_migration_that_was_applied_with_another_text_is_refused_by_name()
    {
        await ApplyAsync();
        await ExecuteAsync("update statehouse_orleans.migration set sha256 = set_byte(sha256, 0, get_byte(sha256, 0) # 1) where number = 2");

        Assert.StartsWith("Migration 2 (0002-membership.sql) of the Orleans tables", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_the_database_as_it_was()
    {
        // Something of somebody else's is in the way of the last migration; those before it would go in.
        await ExecuteAsync("create schema statehouse_orleans; create table statehouse_orleans.OrleansRemindersTable (mine integer)");

        JournalOpenException refusal = await Assert.ThrowsAsync<JournalOpenException>(ApplyAsync);

        Assert.Contains("orleansreminderstable", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await QueryAsync<long>("select count(*) from pg_class where relnamespace = 'statehouse_orleans'::regnamespace and relkind in ('r', 'S')"));
        Assert.Empty(OperatorLog.Messages);
    }

    [Fact]
    public async Task A_silo_that_dies_in_the_middle_of_migrating_leaves_nothing_and_the_next_one_succeeds()
    {
        await ExecuteAsync(
            """
            create function public.hold() returns event_trigger language plpgsql as $$
            begin
              if exists (select from pg_event_trigger_ddl_commands() where object_identity = 'statehouse_orleans.orleansreminderstable') then
                perform pg_advisory_xact_lock(42);
              end if;
            end $$;
            create event trigger hold on ddl_command_end when tag in ('CREATE TABLE') execute function public.hold();
            """);
        await using NpgsqlConnection holder = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(holder, "select pg_advisory_lock(42)");

        Task dying = ApplyAsync();
        await PostgresCluster.WaitUntilAsync(
            Database, $"select exists (select {HalfDone})", "the last migration is half done");
        // Only that session: with the other one's end it would go on.
        await ExecuteAsync($"select pg_terminate_backend(pid, 10000) {HalfDone}");
        await Assert.ThrowsAsync<JournalUnavailableException>(() => dying);

        Assert.False(await HasSchemaAsync());
        await RunAsync(holder, "select pg_advisory_unlock(42)");
        await ApplyAsync();
        await VerifyAsync();
        Assert.Single(OperatorLog.Messages);
    }

    [Fact]
    public async Task A_role_that_may_only_use_the_tables_can_start_a_silo_but_not_create_them()
    {
        string role = $"silo_{Guid.NewGuid():N}";
        await ExecuteAsync($"create role {role} login password 'pass'");
        string asRole = new NpgsqlConnectionStringBuilder(Database) { Username = role, Password = "pass" }.ConnectionString;
        JournalOpenException refusal = await Assert.ThrowsAsync<JournalOpenException>(() => OrleansSchema.ApplyAsync(asRole, OperatorLog, Cancellation));
        Assert.Contains("42501", refusal.Message, StringComparison.Ordinal);

        await ApplyAsync();
        await ExecuteAsync(
            $"""
            grant usage on schema statehouse_orleans to {role};
            grant select, insert, update, delete on all tables in schema statehouse_orleans to {role};
            grant usage on all sequences in schema statehouse_orleans to {role};
            """);

        await OrleansSchema.VerifyAsync(asRole, Cancellation);
        await OrleansSchema.ApplyAsync(asRole, OperatorLog, Cancellation);
        await ExecuteAsync($"drop owned by {role}; drop role {role}");
    }

    [Fact]
    public async Task The_connection_string_for_Orleans_leads_to_our_queries_beside_those_of_another_application()
    {
        await ExecuteAsync("create table public.OrleansQuery (QueryKey text, QueryText text); insert into public.OrleansQuery values ('theirs', 'select 1')");
        await ApplyAsync();

        string ours = OrleansSchema.ConnectionString(Database + ";Search Path=public");

        Assert.Equal(0, await PostgresCluster.QueryAsync<long>(ours, "select count(*) from OrleansQuery where QueryKey = 'theirs'"));
        Assert.Equal("theirs", await QueryAsync<string>("select QueryKey from OrleansQuery"));
        Assert.Equal(new NpgsqlConnectionStringBuilder(Database).Password, new NpgsqlConnectionStringBuilder(ours).Password);
    }

    [Theory]
    [InlineData("Host=localhost;Pasword=pass-phrase")]
    [InlineData("pass-phrase")]
    public async Task A_malformed_connection_string_is_refused_without_its_secrets(string connectionString)
    {
        JournalOpenException[] refusals =
        [
            Assert.Throws<JournalOpenException>(() => { OrleansSchema.ConnectionString(connectionString); }),
            await Assert.ThrowsAsync<JournalOpenException>(() => OrleansSchema.VerifyAsync(connectionString, Cancellation)),
            await Assert.ThrowsAsync<JournalOpenException>(() => OrleansSchema.ApplyAsync(connectionString, OperatorLog, Cancellation)),
        ];
        Assert.All(refusals, refusal => Assert.DoesNotContain("phrase", refusal.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_unavailable_and_not_without_tables()
    {
        string nowhere = new NpgsqlConnectionStringBuilder(Database) { Port = 1 }.ConnectionString;
        await Assert.ThrowsAsync<JournalUnavailableException>(() => OrleansSchema.VerifyAsync(nowhere, Cancellation));
    }

    private Task ApplyAsync() => OrleansSchema.ApplyAsync(Database, OperatorLog, Cancellation);

    private Task VerifyAsync() => OrleansSchema.VerifyAsync(Database, Cancellation);

    private async Task<string> RefusalAsync() => (await Assert.ThrowsAsync<JournalOpenException>(VerifyAsync)).Message;

    private Task<bool> HasSchemaAsync() => QueryAsync<bool>("select to_regnamespace('statehouse_orleans') is not null");

    private Task<T> QueryAsync<T>(string sql) => PostgresCluster.QueryAsync<T>(Database, sql);
}
