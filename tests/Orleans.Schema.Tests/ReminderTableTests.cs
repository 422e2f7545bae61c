using Microsoft.Extensions.DependencyInjection;

namespace Statehouse.OrleansTables.Tests;

/// <summary>Orleans' AdoNet reminder table on our schema: each of its operations.</summary>
public sealed class ReminderTableTests(OrleansDatabase database) : ProviderTest(database)
{
    private readonly GrainId _grain = GrainId.Create("tests.reminded", NewName());

    private IReminderTable Table => Database.Services.GetRequiredService<IReminderTable>();

    [Fact]
    public async Task A_reminder_is_read_back_as_it_was_written()
    {
        ReminderEntry entry = Entry(_grain, "wake", TimeSpan.FromMinutes(2));
        string? etag = await Table.UpsertRow(entry);

        ReminderEntry? read = await Table.ReadRow(_grain, "wake");

        Assert.NotNull(read);
        Assert.Equal((_grain, "wake", entry.StartAt, entry.Period, etag), (read.GrainId, read.ReminderName, read.StartAt, read.Period, read.ETag));
        Assert.Null(await Table.ReadRow(_grain, "sleep"));
    }

    [Fact]
    public async Task An_update_replaces_the_reminder_under_a_new_ETag()
    {
        string? first = await Table.UpsertRow(Entry(_grain, "wake", TimeSpan.FromMinutes(2)));
        string? second = await Table.UpsertRow(Entry(_grain, "wake", TimeSpan.FromDays(45)));

        Assert.NotEqual(first, second);
        ReminderEntry read = Assert.Single((await Table.ReadRows(_grain)).Reminders);
        Assert.Equal((TimeSpan.FromDays(45), second), (read.Period, read.ETag));
    }

    [Fact]
    public async Task A_grain_has_its_own_reminders()
    {
        await Table.UpsertRow(Entry(_grain, "wake"));
        await Table.UpsertRow(Entry(_grain, "sleep"));
        await Table.UpsertRow(Entry(GrainId.Create("tests.reminded", NewName()), "wake"));

        Assert.Equal(["sleep", "wake"], (await Table.ReadRows(_grain)).Reminders.Select(r => r.ReminderName).Order());
    }

    [Fact]
    public async Task A_reminder_is_in_each_range_that_holds_its_hash_and_in_no_other()
    {
        await Table.UpsertRow(Entry(_grain, "wake"));
        uint hash = _grain.GetUniformHashCode();

        Assert.True(await IsInRangeAsync(hash - 1, hash));
        Assert.True(await IsInRangeAsync(hash - 1, hash + 1));
        Assert.False(await IsInRangeAsync(hash, hash + 1));
        Assert.False(await IsInRangeAsync(hash - 2, hash - 1));
        // Around the ring: everything but (hash - 1, hash], and everything but what lies right behind it.
        Assert.False(await IsInRangeAsync(hash, hash - 1));
        Assert.True(await IsInRangeAsync(hash + 1, hash));
        Assert.True(await IsInRangeAsync(hash, hash));
        Assert.True(await IsInRangeAsync(0, 0));
        // The two halves of the ring, as unsigned numbers: it is in one of them.
        Assert.NotEqual(await IsInRangeAsync(0, uint.MaxValue / 2), await IsInRangeAsync(uint.MaxValue / 2, 0));
    }

    [Fact]
    public async Task A_reminder_is_removed_with_its_current_ETag_only()
    {
        string? old = await Table.UpsertRow(Entry(_grain, "wake"));
        string? current = await Table.UpsertRow(Entry(_grain, "wake"));

        Assert.False(await Table.RemoveRow(_grain, "wake", old!));
        Assert.True(await Table.RemoveRow(_grain, "wake", current!));
        Assert.False(await Table.RemoveRow(_grain, "wake", current!));

        Assert.Empty((await Table.ReadRows(_grain)).Reminders);
    }

    [Fact]
    public async Task Clearing_the_table_takes_all_reminders_of_the_service()
    {
        await Table.UpsertRow(Entry(_grain, "wake"));

        await Table.TestOnlyClearTable();

        Assert.Empty((await Table.ReadRows(0, 0)).Reminders);
    }

    private static ReminderEntry Entry(GrainId grain, string name, TimeSpan? period = null) =>
        new() { GrainId = grain, ReminderName = name, StartAt = Time(60), Period = period ?? TimeSpan.FromMinutes(1) };

    private async Task<bool> IsInRangeAsync(uint beginExclusive, uint endInclusive) =>
        (await Table.ReadRows(beginExclusive, endInclusive)).Reminders.Any(r => r.GrainId == _grain);
}
