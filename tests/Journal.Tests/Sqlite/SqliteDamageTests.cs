using System.Globalization;
using System.Text;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Journal.Tests;

/// <summary>Bytes change behind the store's back: it must say so, and never hand out what was not written.</summary>
public sealed class SqliteDamageTests : IAsyncLifetime
{
    private readonly SqliteFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Theory]
    [InlineData("update journal set body = cast('{\"n\":777}' as blob) where version = 3")]
    [InlineData("update journal set committed_at = committed_at + 1 where version = 3")]
    [InlineData("update journal set txn_id = zeroblob(16) where version = 3")]
    [InlineData("update journal set txn_id = x'00' where version = 3")]
    [InlineData("update journal set hash = zeroblob(32) where version = 3")]
    [InlineData("update journal set hash = x'' where version = 3")]
    [InlineData("update journal set version = 9 where version = 3")]
    [InlineData("delete from journal where version = 3")]
    [InlineData("delete from journal where version = 5")]
    [InlineData("update stream set version = 7")]
    [InlineData("update stream set first_version = 3")]
    [InlineData("update stream set first_version = 129")]
    [InlineData("update stream set first_version = 0")]
    public async Task A_commit_that_was_changed_or_removed_is_found_by_every_reader(string tampering)
    {
        Commits agent = await _fixture.MakeJournalAsync();
        _fixture.Tamper(tampering);
        await _fixture.OpenAsync();

        await Assert.ThrowsAsync<InvariantBrokenException>(() => _fixture.ReadAsync(agent.Agent));
        await Assert.ThrowsAsync<InvariantBrokenException>(async () => await _fixture.Store!
            .ReadBackwardAsync(agent.Handle, new AgentVersion(1), new AgentVersion(99), Cancellation).ToListAsync(Cancellation));
        Assert.NotEmpty(await _fixture.Store!.CheckAsync(Cancellation));
    }

    [Theory]
    [InlineData("update journal set body = cast('{\"n\":777}' as blob) where version = 3")]
    [InlineData("update journal set committed_at = committed_at + 1 where version = 1")]
    [InlineData("update journal set txn_id = zeroblob(16) where version = 5")]
    [InlineData("update journal set hash = zeroblob(32) where version = 5")]
    [InlineData("delete from journal where version = 3")]
    public async Task A_commit_that_was_changed_or_removed_is_found_by_the_feed(string tampering)
    {
        await _fixture.MakeJournalAsync();
        _fixture.Tamper(tampering);
        await _fixture.OpenAsync();

        await Assert.ThrowsAsync<InvariantBrokenException>(() => Commits.ReadFeedAsync(_fixture.Store!, Cancellation));
    }

    [Fact]
    public async Task A_commit_that_moved_to_another_position_is_found_by_the_feed()
    {
        await _fixture.MakeJournalAsync();
        // As a flipped bit does it: the row's own number changes, and what the index says of it does not.
        _fixture.Tamper("""
            pragma writable_schema = on;
            create table kept as select * from sqlite_master where name = 'journal_by_version';
            delete from sqlite_master where name = 'journal_by_version';
            """);
        _fixture.Tamper("update journal set position = position + 1024 * 50 where version = 5");
        _fixture.Tamper("pragma writable_schema = on; insert into sqlite_master select * from kept; drop table kept;");
        await _fixture.OpenAsync();

        await Assert.ThrowsAsync<InvariantBrokenException>(() => Commits.ReadFeedAsync(_fixture.Store!, Cancellation));
        Assert.NotEmpty(await _fixture.Store!.CheckAsync(Cancellation));
    }

    [Theory]
    [InlineData("summary = cast('{\"m\":1}' as blob)")]
    [InlineData("labels = '[\"a=c\"]'")]
    [InlineData("group_name = 'h'")]
    [InlineData("version = version + 1")]
    [InlineData("updated_at = updated_at + 1")]
    [InlineData("started_at = started_at + 1")]
    [InlineData("due_at = null")]
    [InlineData("name = 'another'")]
    [InlineData("checksum = checksum + 1")]
    public async Task An_index_row_that_was_changed_is_found_by_the_query_and_by_the_deep_check(string change)
    {
        await _fixture.OpenAsync();
        var agent = new Commits("a");
        var row = new IndexRow(3, "g", ["a=b"], new CommitTime(5), new CommitTime(7), "{\"n\":1}"u8.ToArray());
        await _fixture.AppendAsync(agent, Commits.Indexed(agent.Next(), row));
        Assert.Equal("a", Assert.Single(await QueryAsync()).Agent.Name);
        await _fixture.CloseAsync();
        _fixture.Tamper("update agent_index set " + change);
        await _fixture.OpenAsync();

        await Assert.ThrowsAsync<InvariantBrokenException>(QueryAsync);
        Assert.NotEmpty(await _fixture.Store!.CheckAsync(Cancellation));
    }

    [Fact]
    public async Task An_index_row_from_before_there_were_checksums_is_shown()
    {
        await _fixture.OpenAsync();
        var agent = new Commits("a");
        await _fixture.AppendAsync(agent, Commits.Indexed(agent.Next(), new IndexRow(3, "g", [], new CommitTime(5), null, "{}"u8.ToArray())));
        await _fixture.CloseAsync();
        _fixture.Tamper("update agent_index set checksum = null");
        await _fixture.OpenAsync();

        Assert.Single(await QueryAsync());
        Assert.Empty(await _fixture.Store!.CheckAsync(Cancellation));
    }

    [Theory]
    [InlineData("update journal set txn_id = zeroblob(16)")]
    [InlineData("update journal set txn_id = x'00'")]
    [InlineData("update journal set hash = x''")]
    public async Task A_damaged_commit_takes_nobody_elses_out_of_the_feed(string tampering)
    {
        await _fixture.OpenAsync();
        Commits[] agents = [new("a"), new("b"), new("c")];
        foreach (Commits agent in agents)
            await _fixture.AppendAsync(agent, agent.Next(1));
        await _fixture.CloseAsync();
        _fixture.Tamper(tampering + " where stream_id = (select stream_id from stream where name = 'b')");
        await _fixture.OpenAsync();

        FeedPage before = await _fixture.Store!.ReadFeedAsync(CommitTs.None, 100, null, Cancellation);
        var damage = await Assert.ThrowsAsync<InvariantBrokenException>(() => _fixture.Store!.ReadFeedAsync(before.Through, 100, null, Cancellation));
        FeedPage behind = await _fixture.Store!.ReadFeedAsync(damage.FeedDamage!.Value, 100, null, Cancellation);

        Assert.Equal("a", Assert.Single(before.Commits).Agent.Name);
        Assert.False(before.AtEnd);
        Assert.Equal(agents[1].Acknowledged[0].CommitTs, damage.FeedDamage);
        Assert.Equal($"{damage.FeedDamage}", damage.Details["commit_ts"]);
        Assert.Equal(("b", "1"), (damage.Details["agent"], damage.Details["agent_version"]));
        Assert.Equal("c", Assert.Single(behind.Commits).Agent.Name);
        Assert.True(behind.AtEnd);
    }

    [Theory]
    [InlineData("delete from journal where version = 5")]
    [InlineData("update stream set head_hash = zeroblob(32)")]
    [InlineData("update stream set first_version = 129")]
    [InlineData("update stream set first_version = 5")]
    [InlineData("update journal set hash = zeroblob(32) where version = 5")]
    public async Task A_head_that_is_not_the_last_commit_is_found(string tampering)
    {
        Commits agent = await _fixture.MakeJournalAsync();
        _fixture.Tamper(tampering);
        await _fixture.OpenAsync();

        await Assert.ThrowsAsync<InvariantBrokenException>(() => _fixture.Store!.ReadHeadAsync(agent.Handle, Cancellation));
        await Assert.ThrowsAsync<InvariantBrokenException>(
            () => _fixture.Store!.ListAgentsAsync(AgentKind.Agent, "default", "", null, 10, Cancellation));
    }

    [Fact]
    public async Task The_deep_check_finds_nothing_in_a_sound_journal_and_each_damage_in_another()
    {
        await _fixture.OpenAsync();
        Commits[] agents = [new("a"), new("b"), new("c")];
        foreach (Commits agent in agents)
        {
            await _fixture.AppendAsync(agent, agent.Next(5));
            await _fixture.Store!.WriteSnapshotAsync(agent.Handle, new(agent.Version, agent.Hash, new byte[] { 1, 2, 3 }), Cancellation);
        }
        Assert.Empty(await _fixture.Store!.CheckAsync(Cancellation));
        await _fixture.CloseAsync();

        _fixture.Tamper("""
            update journal set body = x'00' where version = 2 and stream_id = (select stream_id from stream where name = 'a');
            update snapshot set body = x'00' where stream_id = (select stream_id from stream where name = 'c');
            insert into journal select position + 999999, 999, version, committed_at, txn_id, hash, body from journal where position = (select min(position) from journal);
            """);
        await _fixture.OpenAsync();
        IReadOnlyList<string> problems = await _fixture.Store!.CheckAsync(Cancellation);

        Assert.Equal(3, problems.Count);
        Assert.Contains(problems, p => p.Contains("default/a", StringComparison.Ordinal));
        Assert.Contains(problems, p => p.Contains("snapshot of default/c", StringComparison.Ordinal));
        Assert.Contains(problems, p => p.Contains("belong to no agent", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Any_flipped_byte_of_the_header_is_refused_or_does_no_harm()
    {
        Commits agent = await _fixture.MakeJournalAsync(commits: 20);
        byte[] sound = await File.ReadAllBytesAsync(_fixture.JournalFile, Cancellation);

        for (int at = 0; at < 100; at++)
            await AssertRefusedOrExactAsync(agent, sound, at, flip: 0xFF);
    }

    [Fact]
    public async Task Any_flipped_bit_of_the_file_is_refused_or_found_or_does_no_harm()
    {
        const int Flips = 250;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("STATEHOUSE_TEST_SEED"), CultureInfo.InvariantCulture, out int given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"STATEHOUSE_TEST_SEED={seed}");
        var random = new Random(seed);
        Commits agent = await _fixture.MakeJournalAsync(commits: 60, padding: 300);
        byte[] sound = await File.ReadAllBytesAsync(_fixture.JournalFile, Cancellation);

        for (int i = 0; i < Flips; i++)
            await AssertRefusedOrExactAsync(agent, sound, random.Next(sound.Length), flip: (byte)(1 << random.Next(8)));
    }

    [Fact]
    public async Task A_write_onto_damaged_pages_is_refused_as_damage()
    {
        Commits agent = await _fixture.MakeJournalAsync();
        using (SqliteDatabase database = _fixture.OpenBeside())
        using (FileStream file = File.Open(_fixture.JournalFile, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = 4096 * (database.QueryNumber("select rootpage from sqlite_master where name = 'journal'")!.Value - 1);
            file.Write([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        }
        await _fixture.OpenAsync();

        await Assert.ThrowsAsync<InvariantBrokenException>(() => _fixture.Store!.WriteAsync([agent.NextUnit()], Cancellation));
    }

    private Task<IReadOnlyList<IndexedAgent>> QueryAsync() => ((IAgentIndex)_fixture.Store!).QueryAsync(
        new IndexQuery(AgentKind.Agent, "default", 10), Cancellation);

    /// <summary>Either one of the two exceptions that damage may cause, or exactly what was written.</summary>
    private async Task AssertRefusedOrExactAsync(Commits agent, byte[] sound, int at, byte flip)
    {
        byte[] damaged = [.. sound];
        damaged[at] ^= flip;
        await File.WriteAllBytesAsync(_fixture.JournalFile, damaged, Cancellation);
        try
        {
            await _fixture.OpenAsync();
            List<JournalCommit> read = await _fixture.ReadAsync(agent.Agent);
            JournalHead? head = await _fixture.Store!.ReadHeadAsync(new JournalHandle(agent.Agent), Cancellation);
            bool isExact = head?.Hash == agent.Hash && read.Select(Text).SequenceEqual(agent.Acknowledged.Select(Text));
            // An agent's name has no checksum: one flipped there is another agent, or none, to all but the deep check.
            bool isUnknown = head is null && read.Count == 0 && (await _fixture.Store!.CheckAsync(Cancellation)).Count > 0;
            Assert.True(isExact || isUnknown, $"Byte {at} ^ {flip:x2} was read as something that nobody wrote.");
        }
        catch (Exception error) when (error is JournalOpenException or InvariantBrokenException)
        {
            // Refused or found: what damage should cause.
        }
        finally
        {
            await _fixture.CloseAsync();
        }
    }

    /// <summary>All that the hash covers. A commit_ts has no checksum of its own.</summary>
    private static string Text(JournalCommit commit) =>
        $"{commit.Version} {commit.Time} {commit.TxnId} {commit.Hash} {Encoding.UTF8.GetString(commit.Body.Span)}";
}
