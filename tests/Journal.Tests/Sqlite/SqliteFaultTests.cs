using Statehouse.Journal.Sqlite;

namespace Statehouse.Journal.Tests;

/// <summary>The disk or another program fails us while we serve: nothing is half written, and it goes on when the cause is gone.</summary>
public sealed class SqliteFaultTests : IAsyncLifetime
{
    private readonly SqliteFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_full_disk_refuses_writes_keeps_reading_and_writes_again_once_there_is_room()
    {
        await using TemporaryDisk disk = await TemporaryDisk.MountOrSkipAsync(megabytes: 16);
        await using var fixture = new SqliteFixture(disk.Path);
        await fixture.OpenAsync();
        Commits agent = new("a"), other = new("b");
        await fixture.AppendAsync(agent, agent.Next(3));
        FileInfo filler = disk.Fill();

        // Larger than the write-ahead file, which keeps its room.
        AppendRun large = agent.Next(Commits.Body(1, padding: 1_000_000));
        AppendUnit[] batch = [new([large]), other.NextUnit()];
        await Assert.ThrowsAsync<JournalUnavailableException>(() => fixture.Store!.WriteAsync(batch, Cancellation));
        Assert.All(batch, unit => Assert.Equal(AppendOutcome.Pending, unit.Outcome));
        Assert.Equal(agent.Acknowledged.Count, (await fixture.ReadAsync(agent.Agent)).Count);
        Assert.Null(await fixture.Store!.ReadHeadAsync(other.Handle, Cancellation));

        filler.Delete();
        await fixture.AppendAsync(agent, large);
        await fixture.AppendAsync(other, other.Next());
        await fixture.CloseAsync();
        await fixture.OpenAsync();
        Assert.Equal(agent.Acknowledged.Select(c => c.Hash), (await fixture.ReadAsync(agent.Agent)).Select(c => c.Hash));
        Assert.Empty(await fixture.Store!.CheckAsync(Cancellation));
    }

    [Fact]
    public async Task Filling_the_disk_by_appending_loses_nothing_that_was_acknowledged()
    {
        await using TemporaryDisk disk = await TemporaryDisk.MountOrSkipAsync(megabytes: 8);
        await using var fixture = new SqliteFixture(disk.Path);
        await fixture.OpenAsync();
        var agent = new Commits("a");

        StatehouseException? full = null;
        while (full is null)
            full = await Record.ExceptionAsync(() => fixture.AppendAsync(agent, agent.Next(Commits.Body(1, padding: 20_000)))) as StatehouseException;

        Assert.IsType<JournalUnavailableException>(full);
        Assert.True(agent.Version.Value > 50, "The disk was full too early for this test to say anything.");
        await Assert.ThrowsAnyAsync<StatehouseException>(() => fixture.AppendAsync(agent, agent.Next(Commits.Body(1, padding: 1_000_000))));
        Assert.Equal(agent.Acknowledged.Select(c => c.Hash), (await fixture.ReadAsync(agent.Agent)).Select(c => c.Hash));
    }

    [Fact]
    public async Task A_lock_of_another_program_refuses_writes_only_while_it_is_held()
    {
        await _fixture.OpenAsync();
        var agent = new Commits("a");
        await _fixture.AppendAsync(agent, agent.Next());
        using (SqliteDatabase shell = _fixture.OpenBeside())
        {
            shell.ExecuteScript("begin immediate;");
            await Assert.ThrowsAsync<JournalUnavailableException>(() => _fixture.Store!.WriteAsync([agent.NextUnit()], Cancellation));
            await Assert.ThrowsAsync<JournalUnavailableException>(() => _fixture.Store!.PingAsync(Cancellation));
            Assert.Single(await _fixture.ReadAsync(agent.Agent));
        }

        await _fixture.AppendAsync(agent, agent.Next());
        await _fixture.Store!.PingAsync(Cancellation);
    }

    [Fact]
    public async Task A_closed_journal_says_so_to_readers_and_writers()
    {
        SqliteJournalStore store = await _fixture.OpenAsync();
        var agent = new Commits("a");
        await _fixture.CloseAsync();

        await Assert.ThrowsAsync<JournalUnavailableException>(() => store.WriteAsync([agent.NextUnit()], Cancellation));
        await Assert.ThrowsAsync<JournalUnavailableException>(() => store.ReadHeadAsync(agent.Handle, Cancellation));
        await Assert.ThrowsAsync<JournalUnavailableException>(() => store.PingAsync(Cancellation));
        await store.DisposeAsync();
    }

    [Fact]
    public async Task Closing_finishes_what_was_asked_for()
    {
        SqliteJournalStore store = await _fixture.OpenAsync();
        Commits[] agents = [.. Enumerable.Range(0, 50).Select(i => new Commits($"agent-{i}"))];
        AppendUnit[] units = [.. agents.Select(agent => agent.NextUnit())];
        Task[] writes = [.. units.Select(unit => store.WriteAsync([unit], Cancellation))];

        await _fixture.CloseAsync();

        await Task.WhenAll(writes);
        Assert.All(units, unit => Assert.Equal(AppendOutcome.Appended, unit.Outcome));
        await _fixture.OpenAsync();
        Assert.Equal(50, (await _fixture.Store!.ReadFeedAsync(CommitTs.None, 1000, null, Cancellation)).Commits.Count);
    }

    [Fact]
    public async Task A_batch_that_breaks_the_contract_writes_nothing_and_hurts_nobody_later()
    {
        await _fixture.OpenAsync();
        Commits good = new("good"), bad = new("bad");
        AppendRun run = bad.Next(2);
        var gap = new AppendRun(bad.Handle, AgentVersion.None, run.ExpectedHash, [run.Commits[0], run.Commits[1] with { Version = new AgentVersion(3) }]);

        await Assert.ThrowsAsync<InvariantBrokenException>(() => _fixture.Store!.WriteAsync([good.NextUnit(), new([gap])], Cancellation));

        Assert.Null(await _fixture.Store!.ReadHeadAsync(good.Handle, Cancellation));
        await _fixture.AppendAsync(good, good.Next());
    }

    [Fact]
    public async Task A_snapshot_ahead_of_its_journal_is_refused()
    {
        await _fixture.OpenAsync();
        var agent = new Commits("a");
        await _fixture.AppendAsync(agent, agent.Next());
        var ahead = new JournalSnapshot(new AgentVersion(2), agent.Hash, new byte[] { 1 });

        await Assert.ThrowsAsync<InvariantBrokenException>(() => _fixture.Store!.WriteSnapshotAsync(agent.Handle, ahead, Cancellation));

        Assert.Empty(await _fixture.Store!.ListSnapshotsAsync(agent.Handle, Cancellation));
    }
}
