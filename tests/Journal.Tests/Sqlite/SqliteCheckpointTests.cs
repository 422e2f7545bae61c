using System.Buffers.Binary;
using System.Diagnostics;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Journal.Tests;

/// <summary>The write-ahead file is moved into the database file beside the writer, and begun anew.</summary>
public sealed class SqliteCheckpointTests : IAsyncDisposable
{
    private const int CheckpointPages = 1000;

    /// <summary>A page of 4 KiB and the header of its frame.</summary>
    private const int FrameBytes = 4096 + 24;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SqliteFixture _fixture = new();
    private readonly Commits _agent = new("a");
    private SqliteJournalStore _store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string WalFile => _fixture.JournalFile + "-wal";

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task The_write_ahead_file_is_begun_anew_before_a_commit_has_to_move_it()
    {
        await OpenAsync();
        await AppendAsync(padding: 0);
        uint first = WalSequence();
        await FillWalAsync(CheckpointPages + CheckpointPages / 8);

        await AppendUntilAsync(() => WalSequence() != first);

        Assert.InRange(WalPages(), CheckpointPages, 2 * CheckpointPages - 1);
        await AssertAllThereAsync();
    }

    [Fact]
    public async Task While_somebody_reads_what_stands_in_the_write_ahead_file_it_grows_and_afterwards_it_is_begun_anew()
    {
        await OpenAsync();
        await AppendAsync(padding: 0);
        uint first = WalSequence();
        using (SqliteDatabase reader = _fixture.OpenBeside())
        {
            reader.Execute(Sql.BeginRead);
            long? seen = reader.QueryNumber(Sql.FeedEnd);
            await FillWalAsync(3 * CheckpointPages);
            for (int i = 0; i < 20; i++)
                await AppendAsync(padding: 0);

            Assert.Equal(first, WalSequence());
            Assert.Equal(seen, reader.QueryNumber(Sql.FeedEnd));
        }

        await AppendUntilAsync(() => WalSequence() != first);

        await AssertAllThereAsync();
    }

    [Fact]
    public async Task A_store_that_is_closed_while_pages_are_moved_loses_nothing()
    {
        for (int round = 0; round < 5; round++)
        {
            await OpenAsync();
            await FillWalAsync(CheckpointPages);
            await _store.DisposeAsync();

            Assert.False(File.Exists(WalFile), "The last connection to be closed removes the write-ahead file.");
        }

        await OpenAsync();
        await AssertAllThereAsync();
    }

    private async Task OpenAsync() => _store = await SqliteJournalStore.OpenAsync(
        new SqliteJournalOptions { DataDirectory = _fixture.DataDirectory, CheckpointPages = CheckpointPages }, SilentOperatorLog.Instance, Cancellation);

    /// <summary>Commits of about 50 pages each: noise in hexadecimal is stored at half its length.</summary>
    private async Task FillWalAsync(int pages)
    {
        for (int written = 0; written < pages; written += 50)
            await AppendAsync(padding: 400_000);
    }

    /// <summary>Small commits, in no hurry: far fewer pages than would make a commit move them.</summary>
    private async Task AppendUntilAsync(Func<bool> isSo)
    {
        long began = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, "The write-ahead file was not begun anew.");
            await AppendAsync(padding: 0);
            await Task.Delay(200, Cancellation);
        }
    }

    private async Task AppendAsync(int padding)
    {
        string noise = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(padding / 2));
        AppendRun run = _agent.Next(System.Text.Encoding.UTF8.GetBytes($"{{\"noise\":\"{noise}\"}}"));
        var unit = new AppendUnit([run]);
        await _store.WriteAsync([unit], Cancellation);
        Assert.Equal(AppendOutcome.Appended, unit.Outcome);
        _agent.Acknowledge(run);
    }

    private async Task AssertAllThereAsync()
    {
        List<JournalCommit> found = await _store
            .ReadForwardAsync(new JournalHandle(_agent.Handle.Agent), new AgentVersion(1), new AgentVersion(long.MaxValue), Cancellation)
            .ToListAsync(Cancellation);
        Assert.Equal(_agent.Acknowledged.Select(commit => commit.Hash), found.Select(commit => commit.Hash));
        Assert.Empty(await _store.CheckAsync(Cancellation));
    }

    private long WalPages() => new FileInfo(WalFile).Length / FrameBytes;

    /// <summary>Grows when the file is begun anew. Source: SQLite's file format, section 4.1.</summary>
    private uint WalSequence()
    {
        using FileStream wal = new(WalFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> header = stackalloc byte[16];
        wal.ReadExactly(header);
        return BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
    }
}
