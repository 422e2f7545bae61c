using System.Security.Cryptography;
using System.Text;
using Statehouse.Journal.Sqlite;
using Statehouse.Journal.Sqlite.Opening;

namespace Statehouse.Journal.Tests;

/// <summary>Bodies on SQLite's disk: compressed where that pays, read back as they were.</summary>
public sealed class SqliteStoredBodyTests : IAsyncDisposable
{
    private readonly SqliteFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    public static TheoryData<string, byte[], bool> Bodies => new()
    {
        { "empty", [], false },
        { "a zero", [0], false },
        { "a one", [1], false },
        { "as if compressed", [1, 0, 4, 0, 0, 7, 7], false },
        { "short", Commits.Body(1, padding: 900), false },
        { "long", Commits.Body(1, padding: 2000), true },
        { "very long", Commits.Body(1, padding: 3_000_000), true },
        { "random", RandomNumberGenerator.GetBytes(5000), false },
        { "one and zeros", [1, .. new byte[4000]], true },
        { "a quarter less at most", [.. RandomNumberGenerator.GetBytes(4000), .. new byte[1000]], false },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public void A_body_is_stored_in_a_form_that_reads_back_and_is_compressed_only_where_that_saves_a_quarter(string name, byte[] body, bool compressed)
    {
        ReadOnlyMemory<byte> stored = StoredBody.Encode(body);

        Assert.True(StoredBody.TryDecode(stored.Span, out byte[]? read), name);
        Assert.Equal(body, read);
        Assert.Equal(compressed, stored.Length <= body.Length * 3 / 4 && body.Length > 0);
    }

    [Fact]
    public void A_compressed_body_that_was_cut_off_is_refused_and_flipped_bits_never_throw()
    {
        byte[] body = Commits.Body(1, padding: 3000);
        byte[] stored = StoredBody.Encode(body).ToArray();
        for (int i = 1; i < stored.Length; i++)
            Assert.False(StoredBody.TryDecode(stored.AsSpan(0, i), out _), $"cut off at {i}");
        for (int bit = 8; bit < 8 * stored.Length; bit++)
        {
            byte[] flipped = [.. stored];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            // Refused, or bytes that the chain then finds to be others.
            if (StoredBody.TryDecode(flipped, out byte[]? read))
                Assert.Equal(body.Length, read.Length);
        }
    }

    [Fact]
    public async Task Bodies_snapshots_and_cut_bodies_are_compressed_on_disk_and_read_back_as_they_were()
    {
        await _fixture.OpenAsync();
        var agent = new Commits("a");
        byte[] canonical = Commits.Body(1, padding: 5000);
        byte[] withDetail = [.. canonical, CommitBody.DetailSeparator, .. Encoding.UTF8.GetBytes(new string('d', 20_000))];
        await _fixture.AppendAsync(agent, agent.Next(canonical, withDetail, "{}"u8.ToArray()));
        await _fixture.Store!.WriteSnapshotAsync(agent.Handle, new JournalSnapshot(agent.Version, agent.Hash, canonical), Cancellation);

        Assert.Equal(20_001, await _fixture.Store.CutDetailsAsync(agent.Handle, new AgentVersion(1), agent.Version, Cancellation));

        List<JournalCommit> commits = await _fixture.ReadAsync(agent.Agent);
        Assert.Equal(canonical, commits[0].Body.ToArray());
        Assert.Equal(canonical, commits[1].Body.ToArray());
        Assert.Equal("{}"u8.ToArray(), commits[2].Body.ToArray());
        Assert.Equal(canonical, (await _fixture.Store.ReadSnapshotAsync(agent.Handle, agent.Version, Cancellation))!.Body.ToArray());
        Assert.Empty(await _fixture.Store.CheckAsync(Cancellation));
        using SqliteDatabase beside = _fixture.OpenBeside();
        Assert.Equal(3, beside.QueryNumber(
            "select (select count(*) from journal where length(body) < 1000 and length(body) > 2) + (select count(*) from snapshot where length(body) < 1000)"));
    }

    [Fact]
    public async Task A_damaged_compressed_body_stops_the_reader_and_is_named_by_the_deep_check()
    {
        await _fixture.MakeJournalAsync(commits: 3, padding: 4000);
        _fixture.Tamper("update journal set body = substr(body, 1, length(body) - 3) where version = 2");
        await _fixture.OpenAsync();

        InvariantBrokenException broken = await Assert.ThrowsAsync<InvariantBrokenException>(() => _fixture.ReadAsync(new AgentId("default", "a")));
        Assert.Contains("Version 2", broken.Message, StringComparison.Ordinal);
        Assert.Contains("Version 2", Assert.Single(await _fixture.Store!.CheckAsync(Cancellation)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_from_before_is_brought_up_to_date_and_its_plain_bodies_are_read_as_ever()
    {
        Commits agent = await _fixture.MakeJournalAsync(commits: 4, padding: 3000);
        // What the version before left: its tables, its migration, its bodies as they are.
        _fixture.Tamper("""
            drop table agent_index; drop table agent_facet; drop table high_water;
            delete from migration where number > 1;
            """);
        using (SqliteDatabase beside = _fixture.OpenBeside())
        {
            foreach (JournalCommit commit in agent.Acknowledged)
                beside.Prepare("update journal set body = ?2 where version = ?1").Bind(1, commit.Version.Value).Bind(2, commit.Body.Span).Run();
        }

        await _fixture.OpenAsync();
        Assert.Equal(agent.Acknowledged.Select(c => c.Hash), (await _fixture.ReadAsync(agent.Agent)).Select(c => c.Hash));
        Assert.Empty(await _fixture.Store!.CheckAsync(Cancellation));
        await _fixture.AppendAsync(agent, agent.Next(2));
        await _fixture.CloseAsync();

        using SqliteDatabase before = _fixture.OpenBeside();
        JournalOpenException refused = Assert.Throws<JournalOpenException>(() => SchemaMigrations.Apply(before, [Sql.Migrations[0]]));
        Assert.Contains("newer schema", refused.Message, StringComparison.Ordinal);
    }
}
