using System.Globalization;
using Statehouse.Journal.Sqlite;
using Statehouse.Journal.Sqlite.Opening;

namespace Statehouse.Journal.Tests;

/// <summary>What opening a data directory accepts, and how it refuses the rest.</summary>
public sealed class SqliteOpeningTests : IAsyncLifetime
{
    private readonly SqliteFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_missing_data_directory_is_made_for_its_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes.");
            return;
        }
        await using var nested = new SqliteFixture(Path.Combine(_fixture.DataDirectory, "new", "data"));
        await nested.OpenAsync();

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(nested.DataDirectory));
    }

    [Fact]
    public async Task A_second_store_is_refused_by_directory_and_process_id_and_the_first_goes_on()
    {
        await _fixture.OpenAsync();
        await using var second = new SqliteFixture(_fixture.DataDirectory);

        for (int attempt = 0; attempt < 2; attempt++)
            Assert.Contains(
                string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId};"), await second.RefusalAsync(), StringComparison.Ordinal);

        await _fixture.Store!.PingAsync(Cancellation);
        await _fixture.CloseAsync();
        await second.OpenAsync();
    }

    [Fact]
    public async Task Of_many_that_want_one_directory_at_once_at_most_one_gets_it()
    {
        const int Rivals = 4;
        const int Rounds = 500;
        var directory = new DataDirectory(_fixture.DataDirectory);
        using var start = new Barrier(Rivals);
        int holders = 0, most = 0, acquired = 0;
        await Task.WhenAll(Enumerable.Range(0, Rivals).Select(_ => Task.Factory.StartNew(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                start.SignalAndWait(Cancellation);
                using DataDirectoryLock? held = TryAcquire(directory);
                if (held is not null)
                {
                    Interlocked.Increment(ref acquired);
                    InterlockedMax(ref most, Interlocked.Increment(ref holders));
                }
                // All hold what they got until all have tried.
                start.SignalAndWait(Cancellation);
                if (held is not null)
                    Interlocked.Decrement(ref holders);
            }
        }, TaskCreationOptions.LongRunning)));

        Assert.Equal(1, most);
        Assert.InRange(acquired, 1, Rounds);
        await _fixture.OpenAsync();
    }

    [Fact]
    public async Task A_journal_that_was_half_made_when_the_process_died_is_made_anew()
    {
        await File.WriteAllBytesAsync(_fixture.JournalFile + ".new", new byte[5000], Cancellation);
        await File.WriteAllBytesAsync(_fixture.JournalFile + ".new-wal", new byte[5000], Cancellation);

        await _fixture.OpenAsync();

        await _fixture.Store!.PingAsync(Cancellation);
        Assert.False(File.Exists(_fixture.JournalFile + ".new"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(4096)]
    [InlineData(8192)]
    [InlineData(-1)]
    [InlineData(-4096)]
    public async Task A_journal_file_that_is_cut_off_is_refused(int length)
    {
        await _fixture.MakeJournalAsync(commits: 200, padding: 500);
        long whole = new FileInfo(_fixture.JournalFile).Length;
        using (FileStream file = File.OpenWrite(_fixture.JournalFile))
            file.SetLength(length < 0 ? whole + length : length);

        await _fixture.RefusalAsync();

        // Refusing must not have "repaired" anything, nor kept the lock.
        Assert.Equal(length < 0 ? whole + length : length, new FileInfo(_fixture.JournalFile).Length);
        await _fixture.RefusalAsync();
    }

    [Fact]
    public async Task A_file_of_zeros_and_a_file_of_text_are_refused()
    {
        await File.WriteAllBytesAsync(_fixture.JournalFile, new byte[20_000], Cancellation);
        Assert.Contains("not a SQLite database", await _fixture.RefusalAsync(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(_fixture.JournalFile, new string('x', 20_000), Cancellation);
        Assert.Contains("not a SQLite database", await _fixture.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_another_program_is_refused_and_left_alone()
    {
        using (var other = new SqliteDatabase(_fixture.JournalFile, mayCreate: true, TimeSpan.Zero))
            other.ExecuteScript("pragma journal_mode = wal; create table t (x);");
        byte[] before = await File.ReadAllBytesAsync(_fixture.JournalFile, Cancellation);

        Assert.Contains("not a Statehouse journal", await _fixture.RefusalAsync(), StringComparison.Ordinal);

        Assert.Equal(before, await File.ReadAllBytesAsync(_fixture.JournalFile, Cancellation));
    }

    [Fact]
    public async Task A_missing_journal_beside_its_write_ahead_file_is_refused()
    {
        await _fixture.MakeJournalAsync();
        File.Move(_fixture.JournalFile, _fixture.JournalFile + "-wal");

        Assert.Contains("is missing", await _fixture.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await _fixture.MakeJournalAsync();
        _fixture.Tamper("insert into migration (number, name, checksum) values (99, '0099-later', x'00');");

        Assert.Contains("newer schema (0099-later)", await _fixture.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_was_changed_after_it_was_applied_is_refused()
    {
        await _fixture.MakeJournalAsync();
        _fixture.Tamper("update migration set checksum = x'00' where number = 1;");

        Assert.Contains("0001-journal", await _fixture.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_is_a_file_is_refused()
    {
        string path = Path.Combine(_fixture.DataDirectory, "file");
        await File.WriteAllTextAsync(path, "x", Cancellation);
        await using var onFile = new SqliteFixture(path);

        Assert.Contains("cannot be created", await onFile.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_out_of_range_is_refused_by_name()
    {
        JournalOpenException refused = await Assert.ThrowsAsync<JournalOpenException>(() => SqliteJournalStore.OpenAsync(
            _fixture.Options with { ReadConnections = 0 }, SilentOperatorLog.Instance, Cancellation));

        Assert.Contains("ReadConnections", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_disk_is_refused()
    {
        await using TemporaryDisk disk = await TemporaryDisk.MountOrSkipAsync(megabytes: 8);
        await using var fixture = new SqliteFixture(disk.Path);
        await fixture.MakeJournalAsync();
        await disk.RemountAsync("ro");

        Assert.Contains("cannot be written", await fixture.RefusalAsync(), StringComparison.Ordinal);

        await disk.RemountAsync("rw");
        await fixture.OpenAsync();
    }

    private static DataDirectoryLock? TryAcquire(DataDirectory directory)
    {
        try
        {
            return DataDirectoryLock.Acquire(directory);
        }
        catch (JournalOpenException refused)
        {
            Assert.Contains("is in use by", refused.Message, StringComparison.Ordinal);
            return null;
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}
