using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Statehouse.Agents;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.Gateway;
using Statehouse.Journal;
using Statehouse.Journal.Sqlite;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Damage;

/// <summary>
/// Files of a killed server, damaged at random: a server on them says what was written, or that it is damaged. What a damage takes
/// away at the end of the write-ahead file may be missing, and nothing else may, but for an agent whose name cannot be found any
/// more: that the deep check must find.
/// </summary>
public sealed class SqliteFileDamageTests : IAsyncLifetime
{
    /// <summary>Damage in these cannot be told from the torn end that a power failure leaves.</summary>
    private const int LastCommits = 3;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-damage-");
    private DataFiles _killed = null!;
    private DataFiles _closed = null!;
    private KnownHistory _known = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Two lives of a real server, each ended by kill -9: the first one's commits are in the database by then, the second's not.</summary>
    public async ValueTask InitializeAsync()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        var writer = new HistoryWriter(server.Http, new Random(1));
        await writer.CreateExecutionAsync();
        await writer.WriteAsync(30);
        await server.KillAsync();
        await server.StartAsync(Cancelled);
        await writer.WriteAsync(30);
        _known = await KnownHistory.RecordAsync(server.Http, writer.Rows);
        await server.KillAsync();
        _killed = await DataFiles.ReadAsync(server.DataFolder);
        await server.StartAsync(Cancelled);
        Assert.Equal(0, await server.Process.TerminateAsync(TimeSpan.FromSeconds(30), Cancelled));
        _closed = await DataFiles.ReadAsync(server.DataFolder);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Sound_copies_say_all_that_was_written()
    {
        Assert.NotNull(_killed.Wal);
        foreach (DataFiles files in (DataFiles[])[_killed, _closed])
            Assert.Equal(Outcome.Whole, await OpenAndJudgeAsync(files, new Random(1), missingMax: 0, number: 0));
    }

    [Fact]
    public async Task Whatever_befalls_the_files_nothing_is_served_that_was_not_written()
    {
        var outcomes = new Dictionary<string, int>();
        var run = new FuzzRun();
        await run.RunAsync(workers: 2, async (random, number) =>
        {
            (string name, DataFiles files, int missingMax) = Damage(random, number % 10);
            try
            {
                Outcome outcome = await OpenAndJudgeAsync(files, random, missingMax, number);
                lock (outcomes)
                    outcomes[$"{name}: {outcome}"] = outcomes.GetValueOrDefault($"{name}: {outcome}") + 1;
            }
            catch (SilentDamageException silent)
            {
                throw new InvalidOperationException($"{name}: {silent.Message}", silent);
            }
        });
        foreach ((string outcome, int count) in outcomes.OrderBy(each => each.Key, StringComparer.Ordinal))
            TestContext.Current.TestOutputHelper?.WriteLine($"{count} {outcome}");
    }

    private (string Name, DataFiles Files, int MissingMax) Damage(Random random, int kind) => kind switch
    {
        0 => ("write-ahead file cut", _killed.WithWalCut(random), int.MaxValue),
        1 => ("write-ahead file lengthened", _killed.WithWalLengthened(random), 0),
        2 => ("write-ahead file flipped", _killed.WithWalFlipped(random), LastCommits),
        3 => ("write-ahead file removed", _killed with { Wal = null }, int.MaxValue),
        4 => ("page zeroed under a write-ahead file", _killed.WithMainPageZeroed(random), 0),
        5 => ("bits flipped under a write-ahead file", _killed.WithMainFlipped(random), 0),
        6 => ("page zeroed", _closed.WithMainPageZeroed(random), 0),
        7 => ("database cut", _closed.WithMainCut(random), 0),
        _ => ("bits flipped", _closed.WithMainFlipped(random), 0),
    };

    private enum Outcome
    {
        Whole,
        Said,
        FoundByTheDeepCheck,
        Refused,
    }

    private async Task<Outcome> OpenAndJudgeAsync(DataFiles files, Random random, int missingMax, int number)
    {
        string folder = Path.Combine(_folder.FullName, $"case-{number}-{Guid.NewGuid():n}");
        await files.WriteAsync(folder);
        try
        {
            IJournalStore store = await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = folder }, new SilentLog(), Cancelled);
            var options = new GatewayOptions { HttpAddress = new IPEndPoint(IPAddress.Loopback, 0), StopPatience = TimeSpan.FromSeconds(5) };
            await using SingleNode node = await SingleNode.StartAsync(store, Limits.Default, options, TimeProvider.System, NullLoggerFactory.Instance, Cancelled);
            using var http = new HttpClient { BaseAddress = node.Address, Timeout = TimeSpan.FromSeconds(20) };
            return await JudgeAsync(store, http, random, missingMax);
        }
        catch (JournalOpenException refusal)
        {
            Assert.DoesNotContain('\n', refusal.Message);
            return Outcome.Refused;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<Outcome> JudgeAsync(IJournalStore store, HttpClient http, Random random, int missingMax)
    {
        try
        {
            return await _known.JudgeAsync(http, random, missingMax) == 0 ? Outcome.Whole : Outcome.Said;
        }
        catch (UnknownNameException)
        {
            // The index of names holds each once, without a checksum: one that changed there is found by the deep check only.
            if ((await ((SqliteJournalStore)store).CheckAsync(Cancelled)).Count == 0)
                throw;
            return Outcome.FoundByTheDeepCheck;
        }
    }

    private sealed class SilentLog : IOperatorLog
    {
        public void Write(OperatorLogLevel level, string message, Exception? error = null)
        {
            // What a caller is told is what is judged here.
        }
    }
}
