using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Statehouse.Cli.Tests;

/// <summary>A journal tampered with on disk, by somebody who knows the tables, while the server is stopped.</summary>
public sealed class VerifyTests : IAsyncLifetime
{
    private const int Commits = 12;

    private ServerProcess? _server;
    private Ctl? _ctl;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        SQLitePCL.Batteries_V2.Init();
        _server = await ServerProcess.StartNewAsync(Cancelled);
        _ctl = new Ctl($"http://{_server.Address}");
        for (int i = 1; i <= Commits; i++)
            await _ctl.OkAsync("put", "audited", $"k{i % 3}", $"{{\"amount\": {i}00}}", "--idempotency-key", $"i{i}");
        await _ctl.OkAsync("put", "bystander", "k", "1");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_untouched_journal_verifies_also_after_a_crash()
    {
        await TamperAsync("delete from probe");
        Assert.StartsWith("OK  agent=audited  commits=12  version=12  hash=", await _ctl!.OkAsync("verify", "audited"), StringComparison.Ordinal);
        Assert.Equal("300", JsonDocument.Parse(await _ctl.OkAsync("get", "audited", "k0", "--at-version", "3")).RootElement.GetProperty("amount").GetRawText());
    }

    [Theory]
    [InlineData("update journal set body = cast(replace(cast(body as text), '500', '501') as blob) where version = 5 and stream_id = $id", 5)]
    [InlineData("update journal set body = cast(replace(cast(body as text), 'i7', 'j7') as blob) where version = 7 and stream_id = $id", 7)]
    [InlineData("update journal set committed_at = committed_at - 1 where version = 4 and stream_id = $id", 4)]
    [InlineData("update journal set txn_id = zeroblob(16) where version = 6 and stream_id = $id", 6)]
    [InlineData("update journal set hash = zeroblob(32) where version = 8 and stream_id = $id", 8)]
    public async Task A_commit_that_was_changed_is_named_by_its_version(string sql, int version)
    {
        await TamperAsync(sql);
        CtlResult result = await _ctl!.RunAsync("verify", "audited");
        Assert.True(result.ExitCode == 1, $"{result.ExitCode}: {result.Out}{result.Error}");
        Assert.StartsWith($"BROKEN  agent=audited  at version {version}: ", result.Out, StringComparison.Ordinal);

        using JsonDocument report = JsonDocument.Parse((await _ctl.RunAsync("verify", "audited", "--json")).Out);
        Assert.False(report.RootElement.GetProperty("ok").GetBoolean());
        Assert.Equal(version, report.RootElement.GetProperty("broken_at").GetInt32());
        Assert.StartsWith("OK  agent=bystander", await _ctl.OkAsync("verify", "bystander"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delete from journal where version = 3 and stream_id = $id")]
    [InlineData("update stream set head_hash = zeroblob(32) where stream_id = $id")]
    [InlineData("update stream set version = 11 where stream_id = $id")]
    [InlineData("update stream set head_hash = zeroblob(32) where stream_id = $id; update journal set txn_id = zeroblob(16) where stream_id <> $id")]
    public async Task A_missing_commit_or_a_changed_head_does_not_pass(string sql)
    {
        await TamperAsync(sql);
        CtlResult result = await _ctl!.RunAsync("verify", "audited");
        Assert.True(result.ExitCode == 1, $"{result.ExitCode}: {result.Out}{result.Error}");
        Assert.StartsWith("BROKEN  agent=audited  at version ", result.Out, StringComparison.Ordinal);
    }

    /// <summary>Changes the database between two lives of the server, and expects that something was changed.</summary>
    private async Task TamperAsync(string sql)
    {
        await _server!.KillAsync();
        await using (var journal = new SqliteConnection($"Data Source={Path.Combine(_server.DataFolder, "journal.db")};Pooling=False"))
        {
            await journal.OpenAsync(Cancelled);
            await using SqliteCommand find = journal.CreateCommand();
            find.CommandText = "select stream_id from stream where name = 'audited'";
            object id = (await find.ExecuteScalarAsync(Cancelled))!;
            await using SqliteCommand tamper = journal.CreateCommand();
            tamper.CommandText = sql;
            tamper.Parameters.AddWithValue("$id", id);
            int changed = await tamper.ExecuteNonQueryAsync(Cancelled);
            int statements = sql.Split(';').Length;
            Assert.True(changed >= statements || !sql.Contains("$id", StringComparison.Ordinal), $"{changed} rows were changed by {statements} statements.");
        }
        await _server.StartAsync(Cancelled);
    }
}
