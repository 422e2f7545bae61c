using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Tests.Runs;

public sealed class HistoryFileTests
{
    private static readonly AgentName Agent = new("faults", "über/agent");

    [Fact]
    public async Task A_history_that_was_written_is_read_as_it_was()
    {
        string file = Path.GetTempFileName();
        try
        {
            await HistoryFile.WriteAsync(file, "postgres", isShared: true, Evidence(), TestContext.Current.CancellationToken);
            (string system, bool isShared, RunEvidence read) = await HistoryFile.ReadAsync(file, TestContext.Current.CancellationToken);
            Assert.Equal(("postgres", true), (system, isShared));
            string again = file + ".again";
            await HistoryFile.WriteAsync(again, system, isShared, read, TestContext.Current.CancellationToken);
            Assert.Equal(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), await File.ReadAllTextAsync(again, TestContext.Current.CancellationToken));
            File.Delete(again);

            Assert.Equal(Evidence().Calls.Count, read.Calls.Count);
            var transaction = Assert.IsType<TransactionCall>(read.Calls[3].Call);
            Assert.Equal([(Agent, "k")], transaction.Reads);
            Assert.Equal("2", read.Calls[3].Result.SentShares![0].Writes[0].Value);
            Assert.Equal(Evidence().Seen, read.Seen);
            Assert.Equal(Evidence().Feed, read.Feed);
            Assert.Equal("5.0", Assert.Single(read.FeedSeen).Through);
            Assert.Equal(Evidence().FeedSeen[0].Entries, read.FeedSeen[0].Entries);
            Assert.Equal("body", read.Journals[Agent].Commits[0].Body);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task What_is_no_history_is_refused_by_line()
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "{\"system\":\"sqlite\",\"is_shared\":false}\nnonsense\n", TestContext.Current.CancellationToken);
            InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => HistoryFile.ReadAsync(file, TestContext.Current.CancellationToken));
            Assert.Contains(":2 ", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static RunEvidence Evidence()
    {
        var share = new Share(Agent, [new Write("k", "2", 1)], 3);
        var receipt = new Receipt(Agent, 4, 17, "txn", "ab", false);
        Call[] calls =
        [
            new ReadCall(Agent, "k", 3, false),
            new ScanCall(Agent, "p"),
            new CommitCall([share], "key"),
            new TransactionCall([(Agent, "k")], _ => [share]),
        ];
        CallResult[] results =
        [
            new CallResult(Outcome.Ok, new ReadAnswer(true, "1", 1, 3, 5)),
            new CallResult(Outcome.Ok, new ScanAnswer(3, [new ScannedKey("k", "\"ü\"", 1)])),
            new CallResult(Outcome.Ok, new CommitAnswer([receipt])),
            new CallResult(Outcome.Unknown, null, "timeout", "gave up") { SentShares = [share] },
        ];
        var journal = new AgentJournal(
            Agent, [new JournaledCommit(1, 5, "2026-01-01T00:00:00.000000Z", "txn", "ab", "body", [new JournaledOperation("k", "1", 1)], "key")],
            new ScanAnswer(1, [new ScannedKey("k", "1", 1)]), "ab");
        return new RunEvidence(
            [.. calls.Zip(results, (call, result) => (call, result)).Select((pair, i) => new RecordedCall(i + 1, 1, "registers", "http", i * 10, i * 10 + 5, pair.call, pair.result))],
            [new SeenCommit("one", Agent, 1, 5, "ab", 99)],
            new Dictionary<AgentName, AgentJournal> { [Agent] = journal },
            [new FeedEntry(Agent, 1, 5, "ab")])
        {
            FeedSeen = [new FeedStretch("reader", "0", "5.0", [new FeedEntry(Agent, 1, 5, "ab")], 77)],
        };
    }
}
