using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Checker.FakeStore;

namespace Statehouse.Faults.Tests.Checker;

public sealed class CommitRulesTests
{
    private readonly FakeStore _store = new() { TellsHashes = false };

    [Fact]
    public void An_acknowledged_commit_that_is_gone_is_found()
    {
        _store.Put(A, "k", "1");
        RecordedCall lost = _store.Put(A, "k", "2");
        Judge.Passes(_store.Evidence);
        Violation violation = Judge.Fails(WithJournal(_store.Evidence, A, commits => commits.SkipLast(1)), Rule.Durable);
        Assert.Equal([lost], violation.Calls);
    }

    [Fact]
    public void An_acknowledged_commit_of_an_agent_without_a_journal_is_found()
    {
        _store.Put(A, "k", "1");
        RunEvidence evidence = _store.Evidence;
        Judge.Fails(evidence with { Journals = new Dictionary<AgentName, AgentJournal>(), Feed = [] }, Rule.Durable);
    }

    [Fact]
    public void Another_commit_in_the_place_of_an_acknowledged_one_is_found()
    {
        RecordedCall call = _store.Put(A, "k", "1");
        Receipt receipt = Attempt.ReceiptsOf(call)[0];
        Judge.Passes(_store.Evidence);
        foreach (Receipt other in new[] { receipt with { TxnId = Guid.Empty.ToString() }, receipt with { Hash = "00" }, receipt with { CommitTs = 1 } })
        {
            RunEvidence evidence = _store.Evidence;
            Judge.Fails(evidence with { Calls = [call with { Result = new CallResult(Outcome.Ok, new CommitAnswer([other])) }] }, Rule.Durable);
        }
    }

    [Fact]
    public void Two_requests_acknowledged_as_one_commit_are_a_lost_update()
    {
        RecordedCall first = _store.Put(A, "k", "1");
        RecordedCall second = _store.Put(A, "k", "1");
        Judge.Passes(_store.Evidence);
        _store.Answer(second, first.Result.Answer!);
        RunEvidence bad = WithJournal(_store.Evidence, A, commits => commits.Take(1));
        Assert.Equal([1L, 2L], Judge.Fails(bad, Rule.Durable).Calls.Select(call => call.Number));
    }

    [Fact]
    public void A_receipt_without_version_finds_its_commit_by_commit_ts()
    {
        RecordedCall call = _store.Put(A, "k", """{"a":1}""");
        var told = new Receipt(A, 0, Attempt.ReceiptsOf(call)[0].CommitTs, "", "", false);
        _store.Replace(call, call with { Protocol = "grpc", Result = new CallResult(Outcome.Ok, new CommitAnswer([told])) });
        Judge.Passes(_store.Evidence);
        _store.Answer(_store.Calls[0], new CommitAnswer([told with { CommitTs = told.CommitTs + 7 }]));
        Judge.Fails(_store.Evidence, Rule.Durable);
    }

    [Fact]
    public void Half_of_an_acknowledged_transaction_is_found()
    {
        _store.Put(B, "k", "0");
        _store.Commit(new Share(A, [new Write("k", "1")]), new Share(B, [new Write("k", "1")]));
        Judge.Passes(_store.Evidence);
        Judge.Fails(WithJournal(_store.Evidence, B, commits => commits.Take(1)), Rule.Atomic);
    }

    [Fact]
    public void Half_of_a_transaction_of_unknown_outcome_is_found()
    {
        _store.Put(B, "k", "0");
        _store.Unknown(landed: true, new Share(A, [new Write("k", "1")]), new Share(B, [new Write("k", "1")]));
        Judge.Passes(_store.Evidence);
        Judge.FailsOnly(WithJournal(_store.Evidence, B, commits => commits.Take(1)), Rule.Atomic);
    }

    [Fact]
    public void Shares_of_one_transaction_with_two_commit_ts_are_found()
    {
        RecordedCall call = _store.Commit(new Share(A, [new Write("k", "1")]), new Share(B, [new Write("k", "1")]));
        Judge.Passes(_store.Evidence);
        IReadOnlyList<Receipt> receipts = Attempt.ReceiptsOf(call);
        _store.Answer(call, new CommitAnswer([receipts[0], receipts[1] with { CommitTs = 999 }]));
        Judge.Fails(WithJournal(_store.Evidence, B, commits => [commits[0] with { CommitTs = 999 }]), Rule.Atomic);
    }

    [Fact]
    public void A_commit_with_an_operation_missing_is_half()
    {
        _store.Commit(new Share(A, [new Write("k", "1"), new Write("l", "1")]));
        Judge.Passes(_store.Evidence);
        Judge.FailsOnly(WithJournal(_store.Evidence, A, commits => [commits[0] with { Operations = [commits[0].Operations[0]] }]), Rule.Atomic);
    }

    [Fact]
    public void What_has_an_unknown_outcome_may_be_there_once_but_not_twice()
    {
        Share[] shares = [new Share(A, [new Write("k", "1")])];
        _store.Unknown(landed: true, shares);
        _store.Unknown(landed: true, shares);
        _store.Unknown(landed: false, shares);
        Judge.Passes(_store.Evidence);
        _store.Apply(shares, null);
        Judge.Passes(_store.Evidence);
        _store.Apply(shares, null);
        Judge.FailsOnly(_store.Evidence, Rule.Idempotent);
    }

    [Fact]
    public void An_acknowledged_commit_that_is_there_twice_is_found()
    {
        _store.Put(A, "k", "1");
        Judge.Passes(_store.Evidence);
        _store.Apply([new Share(A, [new Write("k", "1")])], null);
        Judge.FailsOnly(_store.Evidence, Rule.Idempotent);
    }

    [Fact]
    public void What_was_refused_and_is_there_is_found()
    {
        RecordedCall refused = _store.Refused(new Share(A, [new Write("k", "1")]));
        Judge.Passes(_store.Evidence);
        _store.Apply([new Share(A, [new Write("k", "1")])], null);
        Assert.Equal([refused], Judge.FailsOnly(_store.Evidence, Rule.Refused).Calls);
    }

    [Fact]
    public void What_nobody_asked_for_is_found()
    {
        _store.Put(B, "k", "1");
        Judge.Passes(_store.Evidence);
        _store.Apply([new Share(A, [new Write("k", "1")])], null);
        Judge.FailsOnly(_store.Evidence, Rule.Isolated);
    }

    [Fact]
    public void A_value_that_is_another_text_is_found_but_over_gRPC_only_its_meaning_counts()
    {
        RecordedCall call = _store.Put(A, "k", """{"b":1,"a":2.50}""");
        Judge.Passes(_store.Evidence);
        RunEvidence other = WithJournal(_store.Evidence, A, commits => [commits[0] with { Operations = [commits[0].Operations[0] with { Value = """{"a":2.5,"b":1.0}""" }] }]);
        Judge.FailsOnly(other, Rule.Lossless);
        Judge.Passes(other with { Calls = [call with { Protocol = "grpc" }] });
        RunEvidence wrong = WithJournal(_store.Evidence, A, commits => [commits[0] with { Operations = [commits[0].Operations[0] with { Value = """{"a":2.5,"b":2}""" }] }]);
        Judge.FailsOnly(wrong with { Calls = [call with { Protocol = "grpc" }] }, Rule.Lossless);
    }

    [Fact]
    public void An_idempotency_key_takes_effect_once_over_all_its_attempts()
    {
        Share share = new(A, [new Write("k", "1")]);
        _store.Keyed("key", share);
        _store.Replace(_store.Calls[0], _store.Calls[0] with { Result = new CallResult(Outcome.Unknown, null, "reset") });
        _store.Keyed("key", share);
        _store.Keyed("key", share);
        Judge.Passes(_store.Evidence);
        _store.Apply([share], "key");
        Judge.FailsOnly(_store.Evidence, Rule.Idempotent);
    }

    [Fact]
    public void All_repeats_of_an_idempotency_key_are_told_the_same_receipt()
    {
        Share share = new(A, [new Write("k", "1")]);
        _store.Keyed("key", share);
        RecordedCall repeat = _store.Keyed("key", share);
        Judge.Passes(_store.Evidence);
        _store.Answer(repeat, _store.Apply([share], "key"));
        Judge.FailsOnly(_store.Evidence, Rule.Idempotent);
        // An agent may forget a key when enough others were committed since.
        Judge.Passes(_store.Evidence, new CheckOptions { IdempotencyKeysMax = 0 });
    }

    [Fact]
    public void A_commit_under_a_condition_that_did_not_hold_is_found()
    {
        _store.Put(A, "k", "1");
        _store.Commit(new Share(A, [new Write("k", "2", 1), new Write("k", "3", 2)], IfAgentVersion: 1));
        Judge.Passes(_store.Evidence);
        RecordedCall good = _store.Calls[1];
        foreach (Share wrong in new[]
        {
            new Share(A, [new Write("k", "2", 0), new Write("k", "3", 2)]),
            new Share(A, [new Write("k", "2", 1), new Write("k", "3", 1)]),
            new Share(A, [new Write("k", "2"), new Write("k", "3")], IfAgentVersion: 0),
        })
        {
            RunEvidence evidence = _store.Evidence;
            Judge.Fails(evidence with { Calls = [evidence.Calls[0], good with { Call = new CommitCall([wrong]) }] }, Rule.Fenced);
        }
    }

    [Fact]
    public void Of_two_unknown_requests_with_one_content_the_one_whose_condition_held_took_effect()
    {
        _store.Put(A, "k", "1");
        _store.Unknown(landed: false, new Share(A, [new Write("k", "2", 7)]));
        _store.Unknown(landed: true, new Share(A, [new Write("k", "2", 1)]));
        Judge.Passes(_store.Evidence);
    }

    [Fact]
    public void What_was_acknowledged_before_another_was_sent_has_the_lower_commit_ts()
    {
        RecordedCall first = _store.Put(A, "k", "1");
        RecordedCall second = _store.Put(B, "k", "2");
        _store.Move(first, 0, 100);
        _store.Move(second, 50, 60);
        Judge.Passes(_store.Evidence);
        _store.Move(_store.Calls[0], 70, 100);
        Assert.Equal(2, Judge.FailsOnly(_store.Evidence, Rule.Ordered).Calls.Count);
    }
}
