using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Checker.FakeStore;

namespace Statehouse.Faults.Tests.Checker;

public sealed class JournalRulesTests
{
    [Fact]
    public void A_history_of_all_kinds_of_calls_passes_and_everything_is_counted()
    {
        Verdict verdict = Judge.Passes(Whole().Evidence);
        Assert.All(
            new[] { Rule.Durable, Rule.Atomic, Rule.Ordered, Rule.Fenced, Rule.Deterministic, Rule.Idempotent, Rule.Lossless, Rule.Isolated, Rule.Confirmed, Rule.TamperEvident, Rule.Linearizable, Rule.Serializable, Rule.Feed, Rule.Follower },
            rule => Assert.True(verdict.Checked.GetValueOrDefault(rule) > 0, rule));
    }

    [Fact]
    public void A_missing_version_is_a_gap() =>
        Judge.Fails(WithJournal(Three(), A, commits => commits.Where(c => c.Version != 2)), Rule.Ordered);

    [Fact]
    public void A_version_that_is_there_twice_is_a_repeat() =>
        Judge.Fails(WithJournal(Three(), A, commits => [commits[0], commits[1], commits[1] with { CommitTs = 150 }, commits[2] with { CommitTs = 151 }]), Rule.Ordered);

    [Fact]
    public void Commits_in_another_order_than_their_commit_ts_are_found() =>
        Judge.Fails(WithJournal(Three(), A, commits => [commits[0], commits[1] with { CommitTs = commits[2].CommitTs }, commits[2] with { CommitTs = commits[1].CommitTs }]), Rule.Ordered);

    [Fact]
    public void Time_that_goes_back_is_found() =>
        Judge.FailsOnly(WithJournal(Three(), A, commits => [commits[0], commits[1], commits[2] with { Time = "2026-01-01T00:00:00.000000Z" }]), Rule.Ordered);

    [Fact]
    public void Two_transactions_of_one_commit_ts_are_found()
    {
        var store = new FakeStore { TellsHashes = false };
        RecordedCall first = store.Put(A, "k", "1");
        RecordedCall second = store.Put(B, "k", "2");
        Judge.Passes(store.Evidence);
        long shared = Attempt.ReceiptsOf(first)[0].CommitTs;
        store.Answer(second, new CommitAnswer([Attempt.ReceiptsOf(second)[0] with { CommitTs = shared }]));
        Judge.FailsOnly(WithJournal(store.Evidence, B, commits => [commits[0] with { CommitTs = shared }]), Rule.Ordered);
    }

    [Fact]
    public void A_body_that_was_changed_afterwards_breaks_the_chain()
    {
        RunEvidence good = Three();
        Judge.FailsOnly(With(good, journal => journal with { Commits = [journal.Commits[0], journal.Commits[1] with { Body = journal.Commits[1].Body + " " }, journal.Commits[2]] }), Rule.TamperEvident);
    }

    [Fact]
    public void A_chain_that_starts_from_another_agent_is_found() =>
        Judge.Fails(With(Three(), journal => journal with { Commits = [journal.Commits[0] with { Hash = new string('0', 64) }, .. journal.Commits.Skip(1)] }), Rule.TamperEvident);

    [Fact]
    public void A_head_that_names_another_hash_is_found() =>
        Judge.FailsOnly(With(Three(), journal => journal with { HeadHash = journal.Commits[0].Hash }), Rule.TamperEvident);

    [Fact]
    public void A_live_state_with_another_value_is_not_the_fold() =>
        Judge.FailsOnly(With(Three(), journal => journal with { State = journal.State with { Items = [journal.State.Items[0] with { Value = "7" }] } }), Rule.Deterministic);

    [Fact]
    public void A_live_state_that_lacks_a_key_is_not_the_fold() =>
        Judge.FailsOnly(With(Three(), journal => journal with { State = journal.State with { Items = [] } }), Rule.Deterministic);

    [Fact]
    public void A_live_state_that_is_behind_is_found() =>
        Judge.FailsOnly(With(Three(), journal => journal with { State = journal.State with { AgentVersion = 2 } }), Rule.Deterministic);

    [Fact]
    public void A_key_version_that_does_not_count_is_found() =>
        Judge.FailsOnly(
            WithJournal(Three(), A, commits => [commits[0], commits[1], commits[2] with { Operations = [commits[2].Operations[0] with { KeyVersion = 2 }] }]),
            Rule.Deterministic);

    private static RunEvidence Three()
    {
        var store = new FakeStore { TellsHashes = false };
        store.Put(A, "k", "1");
        store.Put(A, "k", "2");
        store.Put(A, "k", "3");
        RunEvidence evidence = store.Evidence;
        Judge.Passes(evidence);
        return evidence;
    }

    private static RunEvidence With(RunEvidence evidence, Func<AgentJournal, AgentJournal> change)
    {
        AgentJournal changed = change(evidence.Journals[A]);
        return evidence with
        {
            Journals = new Dictionary<AgentName, AgentJournal> { [A] = changed },
            Feed = [.. changed.Commits.Select(c => new FeedEntry(A, c.Version, c.CommitTs, c.Hash))],
        };
    }

    private static FakeStore Whole()
    {
        var store = new FakeStore();
        store.Put(A, "k", "1", ifVersion: 0);
        store.Keyed("once", new Share(A, [new Write("k", "2")], IfAgentVersion: 1));
        store.Keyed("once", new Share(A, [new Write("k", "2")], IfAgentVersion: 1));
        store.Keyed("lost", new Share(A, [new Write("x", "{}")]));
        store.Replace(store.Calls[^1], store.Calls[^1] with { Result = new CallResult(Outcome.Unknown, null, "reset") });
        store.Commit(new Share(A, [new Write("k", null), new Write("m", "[1]")]), new Share(B, [new Write("m", "[1]")]));
        store.Refused(new Share(A, [new Write("k", "3", 99)]));
        store.Unknown(landed: true, new Share(B, [new Write("u", "1")]));
        store.Unknown(landed: false, new Share(B, [new Write("u", "2")]));
        store.Read(A, "k");
        store.Read(A, "never");
        store.Read(B, "m", protocol: "grpc");
        store.Read(A, "k", atVersion: 1);
        store.Scan(A);
        store.Scan(A, "m", protocol: "grpc");
        store.Transaction([(A, "k"), (B, "u")], new Share(A, [new Write("k", "5")]));
        store.Transaction([(A, "k")]);
        store.Follow("f", A, fromVersion: 2);
        return store;
    }
}
