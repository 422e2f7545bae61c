using System.Globalization;

namespace Statehouse.Journal.Tests;

/// <summary>The write-ahead file as a crash left it, and damaged: what was acknowledged is not dropped without a word.</summary>
public sealed class SqliteWalDamageTests : IAsyncLifetime
{
    private const int Commits = 12;
    private const int FrameBytes = 24 + 4096;

    private readonly SqliteFixture _fixture = new();
    private readonly Commits _agent = new("a");
    private readonly List<int> _walBytesAfter = [];
    private byte[] _main = [];
    private byte[] _wal = [];

    private string WalFile => _fixture.JournalFile + "-wal";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _fixture.OpenAsync();
        for (int i = 0; i < Commits; i++)
        {
            await _fixture.AppendAsync(_agent, _agent.Next(Statehouse.Journal.Tests.Commits.Body(i, padding: 6000)));
            _walBytesAfter.Add((int)new FileInfo(WalFile).Length);
        }
        _main = await File.ReadAllBytesAsync(_fixture.JournalFile, Cancellation);
        _wal = await File.ReadAllBytesAsync(WalFile, Cancellation);
        await _fixture.CloseAsync();
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task What_a_crash_left_whole_is_read_whole() => Assert.Equal(Commits, await CountAsync(_wal));

    [Fact]
    public async Task Any_bit_flipped_before_the_last_two_commits_is_refused()
    {
        Random random = Seeded();
        int before = _walBytesAfter[^3];
        for (int i = 0; i < 120; i++)
        {
            int at = i < 32 ? i : random.Next(before);
            byte[] damaged = [.. _wal];
            damaged[at] ^= (byte)(1 << random.Next(8));
            await RestoreAsync(damaged);
            Assert.Contains("is damaged behind byte", await _fixture.RefusalAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_torn_last_commit_is_dropped_and_no_other()
    {
        Random random = Seeded();
        for (int i = 0; i < 20; i++)
        {
            byte[] torn = [.. _wal];
            int start = _walBytesAfter[^2];
            random.NextBytes(torn.AsSpan(start + random.Next(torn.Length - start)));
            Assert.Equal(Commits - 1, await CountAsync(torn));
        }
    }

    [Fact]
    public async Task A_file_that_is_cut_anywhere_holds_the_commits_before_the_cut()
    {
        Random random = Seeded();
        for (int i = 0; i < 30; i++)
        {
            int length = random.Next(_wal.Length);
            Assert.Equal(_walBytesAfter.Count(after => after <= length), await CountAsync(_wal[..length]));
        }
    }

    [Fact]
    public async Task What_an_earlier_life_of_the_file_left_behind_its_end_does_no_harm()
    {
        byte[] old = [.. _wal];
        for (int salt = 32 + 8; salt + 8 < old.Length; salt += FrameBytes)
            old[salt] ^= 0xFF;
        Assert.Equal(Commits, await CountAsync([.. _wal, .. old[32..]]));
        Assert.Equal(Commits, await CountAsync([.. _wal, .. new byte[3 * FrameBytes]]));
        Assert.Equal(0, await CountAsync(new byte[_wal.Length]));
    }

    [Fact]
    public async Task What_a_transaction_that_was_rolled_back_left_behind_a_torn_last_commit_does_no_harm()
    {
        byte[] left = _wal[32.._walBytesAfter[3]];
        for (int frame = 0; frame < left.Length; frame += FrameBytes)
            left.AsSpan(frame + 4, 4).Clear(); // it never came to its end
        byte[] torn = [.. _wal];
        // Its first frame is lost; its last one, which ends it, is there.
        torn.AsSpan(_walBytesAfter[^2], FrameBytes).Clear();
        Assert.Equal(Commits - 1, await CountAsync([.. torn, .. left]));
    }

    private static Random Seeded()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("STATEHOUSE_TEST_SEED"), CultureInfo.InvariantCulture, out int given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"STATEHOUSE_TEST_SEED={seed}");
        return new Random(seed);
    }

    private async Task RestoreAsync(byte[] wal)
    {
        File.Delete(_fixture.JournalFile + "-shm");
        await File.WriteAllBytesAsync(_fixture.JournalFile, _main, Cancellation);
        await File.WriteAllBytesAsync(WalFile, wal, Cancellation);
    }

    /// <summary>Commits that are read over this write-ahead file; each must be as it was written.</summary>
    private async Task<int> CountAsync(byte[] wal)
    {
        await RestoreAsync(wal);
        await _fixture.OpenAsync();
        List<JournalCommit> read = await _fixture.ReadAsync(_agent.Agent);
        await _fixture.CloseAsync();
        Assert.Equal(_agent.Acknowledged.Take(read.Count).Select(commit => commit.Hash), read.Select(commit => commit.Hash));
        return read.Count;
    }
}
