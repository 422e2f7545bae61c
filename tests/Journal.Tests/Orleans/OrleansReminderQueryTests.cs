namespace Statehouse.Journal.Tests;

/// <summary>The queries of Orleans' reminder table.</summary>
public sealed class OrleansReminderQueryTests : OrleansQueryFixture
{
    private static readonly int[] Hashes = [int.MinValue, -5, 0, 5, int.MaxValue];

    [Fact]
    public async Task A_reminder_is_read_back_as_it_was_written()
    {
        int version = await UpsertAsync("user/1", "wake", period: 60_000);

        Dictionary<string, object?> row = (await ReadOneAsync("user/1", "wake"))!;

        Assert.Equal("user/1", row["GrainId"]);
        Assert.Equal("wake", row["ReminderName"]);
        Assert.Equal(Kept(Noon), row["StartTime"]);
        Assert.Equal(60_000L, row["Period"]);
        Assert.Equal(version, row["Version"]);
    }

    [Fact]
    public async Task A_period_of_more_milliseconds_than_an_int_holds_is_kept()
    {
        // Orleans passes the longer ones, and only those, as 64-bit integers.
        await UpsertAsync("user/1", "rarely", period: 4_000_000_000L);

        Assert.Equal(4_000_000_000L, (await ReadOneAsync("user/1", "rarely"))!["Period"]);
    }

    [Fact]
    public async Task Writing_a_reminder_again_replaces_it_under_a_new_version()
    {
        int first = await UpsertAsync("user/1", "wake", period: 60_000);
        int second = await UpsertAsync("user/1", "wake", period: 70_000, hash: 9);

        Assert.NotEqual(first, second);
        Dictionary<string, object?> row = Assert.Single(await ReadRangeAsync(8, 9));
        Assert.Equal((70_000L, second), ((long)row["Period"]!, (int)row["Version"]!));
        Assert.Empty(await ReadRangeAsync(0, 1));
    }

    [Fact]
    public async Task Eight_writers_of_one_reminder_leave_one_row_and_get_eight_versions()
    {
        int[] versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => UpsertAsync("user/1", "wake", period: 60_000 + i))));

        Assert.Equal(8, versions.Distinct().Count());
        Assert.Contains((int)Assert.Single(await ReadGrainAsync("user/1"))["Version"]!, versions);
    }

    [Fact]
    public async Task A_grain_sees_its_own_reminders()
    {
        await UpsertAsync("user/1", "wake");
        await UpsertAsync("user/1", "sleep");
        await UpsertAsync("user/10", "wake");

        Assert.Equal(["sleep", "wake"], (await ReadGrainAsync("user/1")).Select(row => (string)row["ReminderName"]!).Order());
        Assert.Empty(await ReadGrainAsync("user/2"));
        Assert.Null(await ReadOneAsync("user/10", "sleep"));
    }

    [Theory]
    [InlineData(-5, 5, new[] { 0, 5 })]
    [InlineData(-6, -5, new[] { -5 })]
    [InlineData(5, 6, new int[0])]
    [InlineData(int.MinValue, int.MaxValue, new[] { -5, 0, 5, int.MaxValue })]
    public async Task A_range_begins_behind_its_first_hash_and_ends_with_its_last(int beginExclusive, int endInclusive, int[] expected)
    {
        await UpsertOnePerHashAsync();
        Assert.Equal(expected, HashesOf(await ReadRangeAsync(beginExclusive, endInclusive)));
    }

    [Theory]
    [InlineData(5, -5, new[] { int.MinValue, -5, int.MaxValue })]
    [InlineData(int.MaxValue, int.MinValue, new[] { int.MinValue })]
    [InlineData(0, -6, new[] { int.MinValue, 5, int.MaxValue })]
    [InlineData(3, 3, new[] { int.MinValue, -5, 0, 5, int.MaxValue })]
    [InlineData(0, 0, new[] { int.MinValue, -5, 0, 5, int.MaxValue })]
    public async Task A_range_may_pass_the_end_of_the_ring_and_be_all_of_it(int beginExclusive, int endInclusive, int[] expected)
    {
        await UpsertOnePerHashAsync();
        Assert.Equal(expected, HashesOf(await ReadRangeAsync(beginExclusive, endInclusive)));
    }

    [Fact]
    public async Task Two_ranges_that_share_an_end_have_every_reminder_in_one_of_them()
    {
        await UpsertOnePerHashAsync();
        foreach (int a in Hashes)
        {
            foreach (int b in Hashes.Where(b => b != a))
                Assert.Equal(Hashes, HashesOf([.. await ReadRangeAsync(a, b), .. await ReadRangeAsync(b, a)]));
        }
    }

    [Fact]
    public async Task A_reminder_is_deleted_with_its_version_only()
    {
        int version = await UpsertAsync("user/1", "wake");
        await UpsertAsync("user/1", "sleep");

        Assert.False(await DeleteAsync("user/1", "wake", version - 1));
        Assert.False(await DeleteAsync("user/2", "wake", version));
        Assert.True(await DeleteAsync("user/1", "wake", version));
        Assert.False(await DeleteAsync("user/1", "wake", version));

        Assert.Equal("sleep", Assert.Single(await ReadGrainAsync("user/1"))["ReminderName"]);
    }

    [Fact]
    public async Task A_version_from_before_a_deletion_does_not_delete_the_reminder_that_was_registered_after_it()
    {
        int before = await UpsertAsync("user/1", "wake");
        await DeleteAsync("user/1", "wake", before);
        await UpsertAsync("user/1", "wake");

        Assert.False(await DeleteAsync("user/1", "wake", before));

        Assert.NotNull(await ReadOneAsync("user/1", "wake"));
    }

    [Fact]
    public async Task Services_of_one_database_do_not_see_each_other()
    {
        int ours = await UpsertAsync("user/1", "wake");
        await UpsertAsync("user/1", "wake", service: "other");

        Assert.Single(await ReadRangeAsync(0, 0));
        await AskAsync("DeleteReminderRowsKey", ("ServiceId", "other"));

        Assert.Equal(ours, Assert.Single(await ReadRangeAsync(0, 0))["Version"]);
        Assert.Empty(await ReadRangeAsync(0, 0, service: "other"));
    }

    [Fact]
    public async Task Names_as_long_as_an_agent_id_may_be_are_kept()
    {
        string grain = "agentstate/" + string.Concat(Enumerable.Range(0, 128).Select(i => (char)('a' + i % 26))) + "%2F" + new string('ü', 256);
        await UpsertAsync(grain, "wake");

        Assert.Equal(grain, Assert.Single(await ReadGrainAsync(grain))["GrainId"]);
    }

    private async Task UpsertOnePerHashAsync()
    {
        foreach (int hash in Hashes)
            await UpsertAsync($"user/{hash}", "wake", hash: hash);
    }

    private static IEnumerable<int> HashesOf(List<Dictionary<string, object?>> rows) =>
        rows.Select(row => int.Parse(((string)row["GrainId"]!)["user/".Length..], System.Globalization.CultureInfo.InvariantCulture)).Order();

    /// <summary>The period is milliseconds, as an int or a long.</summary>
    private async Task<int> UpsertAsync(string grain, string name, object? period = null, int hash = 1, string service = "statehouse") =>
        (int)Assert.Single(await AskAsync(
            "UpsertReminderRowKey",
            ("ServiceId", service), ("GrainHash", hash), ("GrainId", grain), ("ReminderName", name), ("StartTime", Noon),
            ("Period", period ?? 60_000)))["Version"]!;

    private Task<List<Dictionary<string, object?>>> ReadGrainAsync(string grain) =>
        AskAsync("ReadReminderRowsKey", ("ServiceId", "statehouse"), ("GrainId", grain));

    private async Task<Dictionary<string, object?>?> ReadOneAsync(string grain, string name) =>
        (await AskAsync("ReadReminderRowKey", ("ServiceId", "statehouse"), ("GrainId", grain), ("ReminderName", name))).SingleOrDefault();

    /// <summary>Chooses between the two queries as Orleans does.</summary>
    private Task<List<Dictionary<string, object?>>> ReadRangeAsync(int beginExclusive, int endInclusive, string service = "statehouse") => AskAsync(
        beginExclusive < endInclusive ? "ReadRangeRows1Key" : "ReadRangeRows2Key",
        ("ServiceId", service), ("BeginHash", beginExclusive), ("EndHash", endInclusive));

    private Task<bool> DeleteAsync(string grain, string name, int version) => AskWhetherAsync(
        "DeleteReminderRowKey", ("ServiceId", "statehouse"), ("GrainId", grain), ("ReminderName", name), ("Version", version));
}
