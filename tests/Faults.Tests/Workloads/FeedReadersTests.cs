using System.Runtime.CompilerServices;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Tests.Workloads;

public sealed class FeedReadersTests(TrueRuns runs) : IClassFixture<TrueRuns>
{
    [Fact]
    public async Task What_readers_of_a_real_feed_saw_passes_and_with_one_commit_less_does_not()
    {
        (_, RunEvidence truth) = await runs.GetAsync("feed-readers");
        Assert.NotEmpty(truth.FeedSeen.SelectMany(stretch => stretch.Entries));
        Assert.True(truth.FeedSeen.Select(stretch => stretch.Reader).Distinct().Count() > 1);
        Assert.Empty(Check(truth));

        FeedStretch victim = truth.FeedSeen.First(stretch => stretch.Entries.Count > 2);
        FeedStretch gappy = victim with { Entries = [.. victim.Entries.Where((_, i) => i != 1)] };
        RunEvidence lie = truth with { FeedSeen = [.. truth.FeedSeen.Select(stretch => stretch == victim ? gappy : stretch)] };
        Assert.Contains(Check(lie), violation => violation.Rule == Rule.Feed);
    }

    [Theory]
    [InlineData("SH-1003", true)]
    [InlineData("SH-2001", false)]
    [InlineData("reset", false)]
    public async Task A_position_that_was_told_must_not_be_refused_and_may_be_out_of_reach(string code, bool isFound)
    {
        var workload = new FeedReadersWorkload(WorkloadRun.Options(1));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var recorder = new Recorder();
        var client = new Fed(code, ending);
        await workload.RunClientAsync(new ClientSeat(0, new Random(1), recorder, () => client, TimeSpan.FromSeconds(1)), ending.Token);

        var evidence = new RunEvidence(recorder.Calls, [], new Dictionary<AgentName, AgentJournal>(), []);
        Assert.Equal(isFound, workload.Check(evidence).Any());
        Assert.All(workload.Check(evidence), violation => Assert.Contains("17", violation.Message, StringComparison.Ordinal));
    }

    private static IReadOnlyList<Violation> Check(RunEvidence evidence) => RunChecker.Check(evidence, new CheckOptions()).Violations;

    /// <summary>Tells the position 17 once, and nothing more; the run ends after a few tries.</summary>
    private sealed class Fed(string code, CancellationTokenSource ending) : IStoreClient, IFeedClient
    {
        private const int Tries = 3;

        private int _pages;

        public string Protocol => "http";

        public bool HasConditions => true;

        public FollowFailure? LastFollow => null;

        public Task<CallResult> CallAsync(Call call, CancellationToken cancellationToken) =>
            Task.FromResult(new CallResult(Outcome.Refused, null, "SH-2001"));

        public IAsyncEnumerable<FollowedCommit> FollowAsync(AgentName agent, long afterVersion, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<FeedReply> ReadFeedAsync(string after, int limit, CancellationToken cancellationToken)
        {
            if (++_pages > Tries)
                ending.Cancel();
            return Task.FromResult(_pages == 1 ? new FeedReply([], "17", false, null) : new FeedReply([], null, false, code));
        }

        public async IAsyncEnumerable<(string Position, FeedEntry Entry)> FollowFeedAsync(
            string after, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield break;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
