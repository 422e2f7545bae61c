using Npgsql;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>The queries of Orleans' grain storage: no write on a state that the writer has not read.</summary>
public sealed class OrleansStorageQueryTests : OrleansQueryFixture
{
    private static readonly byte[] First = [1, 0, 255];
    private static readonly byte[] Second = [2];

    [Fact]
    public async Task What_was_never_written_is_not_there() => Assert.Null(await ReadAsync(Grain()));

    [Fact]
    public async Task A_write_is_read_back_with_the_version_that_it_returned()
    {
        int? version = await WriteAsync(Grain(), null, First);

        Assert.NotNull(version);
        Assert.Equal((First, version.Value), await ReadAsync(Grain()));
    }

    [Fact]
    public async Task A_write_with_the_current_version_replaces_the_state_under_a_new_one()
    {
        int? first = await WriteAsync(Grain(), null, First);
        int? second = await WriteAsync(Grain(), first, Second);

        Assert.NotEqual(first, second);
        Assert.Equal((Second, second!.Value), await ReadAsync(Grain()));
    }

    [Fact]
    public async Task A_write_with_a_wrong_version_returns_that_version_and_changes_nothing()
    {
        int? first = await WriteAsync(Grain(), null, First);
        int? second = await WriteAsync(Grain(), first, Second);

        Assert.Equal(first, await WriteAsync(Grain(), first, First));
        Assert.Equal(second + 1, await WriteAsync(Grain(), second + 1, First));
        Assert.Null(await WriteAsync(Grain(), null, First));

        Assert.Equal((Second, second!.Value), await ReadAsync(Grain()));
    }

    [Fact]
    public async Task A_write_with_a_version_of_a_grain_that_was_never_written_returns_that_version_and_writes_nothing()
    {
        Assert.Equal(5, await WriteAsync(Grain(), 5, First));

        Assert.Null(await ReadAsync(Grain()));
    }

    [Fact]
    public async Task Of_eight_first_writes_at_once_one_goes_in()
    {
        int?[] versions = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => WriteAsync(Grain(), null, [(byte)i]))));

        int winner = Assert.Single(Enumerable.Range(0, 8), i => versions[i] is not null);
        Assert.Equal(([(byte)winner], versions[winner]!.Value), await ReadAsync(Grain()));
    }

    [Fact]
    public async Task Of_two_writes_on_one_version_the_one_that_waits_is_refused()
    {
        int? version = await WriteAsync(Grain(), null, First);
        await using NpgsqlConnection other = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(other, "begin");
        await using (NpgsqlCommand first = Command(other, "WriteToStorageKey", [.. Grain(), ("GrainStateVersion", version), ("PayloadBinary", Second)]))
            await first.ExecuteNonQueryAsync(Cancellation);

        Task<int?> second = WriteAsync(Grain(), version, First);
        await PostgresCluster.WaitUntilAsync(
            Database, "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')", "the second write waits for the first");
        await RunAsync(other, "commit");

        Assert.Equal(version, await second);
        Assert.Equal(Second, (await ReadAsync(Grain()))!.Value.Payload);
    }

    [Fact]
    public async Task A_cleared_state_is_a_row_without_payload_that_goes_on_under_a_new_version()
    {
        int? written = await WriteAsync(Grain(), null, First);
        int cleared = Assert.Single(await RemoveAsync("ClearStorageKey", Grain(), written));

        Assert.NotEqual(written, cleared);
        Assert.Equal((null, cleared), await ReadAsync(Grain()));
        Assert.Equal(written, await WriteAsync(Grain(), written, Second));
        Assert.NotEqual(cleared, await WriteAsync(Grain(), cleared, Second));
        Assert.Equal(Second, (await ReadAsync(Grain()))!.Value.Payload);
    }

    [Fact]
    public async Task A_deleted_state_is_no_row()
    {
        int? written = await WriteAsync(Grain(), null, First);
        int returned = Assert.Single(await RemoveAsync("DeleteStorageKey", Grain(), written));

        Assert.NotEqual(written, returned);
        Assert.Null(await ReadAsync(Grain()));
    }

    [Theory]
    [InlineData("ClearStorageKey")]
    [InlineData("DeleteStorageKey")]
    public async Task Removing_with_a_wrong_version_returns_no_row_and_changes_nothing(string key)
    {
        int? written = await WriteAsync(Grain(), null, First);

        Assert.Empty(await RemoveAsync(key, Grain(), written + 1));
        Assert.Empty(await RemoveAsync(key, Grain(), null));

        Assert.Equal((First, written!.Value), await ReadAsync(Grain()));
    }

    [Fact]
    public async Task A_version_from_before_a_deletion_does_not_fit_the_state_that_was_written_after_it()
    {
        int? before = await WriteAsync(Grain(), null, First);
        await RemoveAsync("DeleteStorageKey", Grain(), before);
        int? after = await WriteAsync(Grain(), null, Second);

        Assert.Equal(before, await WriteAsync(Grain(), before, First));

        Assert.Equal((Second, after!.Value), await ReadAsync(Grain()));
    }

    [Fact]
    public async Task Grains_that_differ_in_any_part_of_their_name_are_different_grains()
    {
        (string Name, object? Value)[][] grains =
        [
            Grain(), Grain(service: "other"), Grain(type: "Other"), Grain(n0: 1), Grain(n1: 2), Grain(extension: ""),
            Grain(extension: "a"), Grain(extension: "A"), Grain(extension: "a "), Grain(extension: "ä"), Grain(extension: "a\u0308"),
            Grain(n0: 0, n1: 0, extension: "1"), Grain(n0: long.MinValue, n1: long.MaxValue),
        ];
        for (int i = 0; i < grains.Length; i++)
            Assert.NotNull(await WriteAsync(grains[i], null, [(byte)i]));

        for (int i = 0; i < grains.Length; i++)
            Assert.Equal((byte)i, Assert.Single((await ReadAsync(grains[i]))!.Value.Payload!));
    }

    [Fact]
    public async Task A_key_may_be_as_long_as_an_index_takes_and_one_beyond_is_refused_whole()
    {
        // Of all printable characters at random: nothing that PostgreSQL could compress.
        var random = new Random(17);
        string text = new([.. Enumerable.Range(0, 3000).Select(_ => (char)random.Next(' ', '\x7f'))]);

        await WriteAsync(Grain(extension: text[..2600]), null, First);
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => WriteAsync(Grain(extension: text), null, First));

        Assert.Equal(PostgresErrorCodes.ProgramLimitExceeded, refusal.SqlState);
        Assert.NotNull(await ReadAsync(Grain(extension: text[..2600])));
        Assert.Null(await ReadAsync(Grain(extension: text)));
    }

    private static (string Name, object? Value)[] Grain(
        string service = "statehouse", string type = "Type", long n0 = 0, long n1 = 1, string? extension = null) =>
        [
            ("GrainIdHash", 17), ("GrainIdN0", n0), ("GrainIdN1", n1), ("GrainTypeHash", 18), ("GrainTypeString", type),
            ("GrainIdExtensionString", extension), ("ServiceId", service),
        ];

    private async Task<int?> WriteAsync((string Name, object? Value)[] grain, int? version, byte[] payload) =>
        (int?)Assert.Single(await AskAsync("WriteToStorageKey", [.. grain, ("GrainStateVersion", version), ("PayloadBinary", payload)]))["NewGrainStateVersion"];

    private async Task<(byte[]? Payload, int Version)?> ReadAsync((string Name, object? Value)[] grain)
    {
        List<Dictionary<string, object?>> rows = await AskAsync("ReadFromStorageKey", grain);
        Assert.InRange(rows.Count, 0, 1);
        return rows is [var row] ? ((byte[]?)row["PayloadBinary"], (int)row["Version"]!) : null;
    }

    private async Task<List<int>> RemoveAsync(string key, (string Name, object? Value)[] grain, int? version) =>
        [.. (await AskAsync(key, [.. grain, ("GrainStateVersion", version)])).Select(row => (int)Assert.Single(row).Value!)];
}
