using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Checker.FakeStore;

namespace Statehouse.Faults.Tests.Checker;

public sealed class RefusalRulesTests
{
    private readonly FakeStore _store = new();

    [Fact]
    public void A_refusal_whose_condition_held_is_found()
    {
        _store.Put(A, "k", "1");
        _store.Refused(Put(A, ifVersion: 0));
        Verdict passed = Judge.Passes(_store.Evidence);
        Assert.Equal(1, passed.Checked[Rule.Refusal]);

        RecordedCall unjust = _store.Refused(Put(A, ifVersion: 1));
        Assert.Equal([unjust], Judge.FailsOnly(_store.Evidence, Rule.Refusal).Calls);
    }

    [Fact]
    public void A_refusal_of_an_agent_without_a_journal_is_found()
    {
        _store.Put(A, "k", "1");
        _store.Refused(Put(B, ifVersion: 1));
        Judge.Passes(_store.Evidence);

        _store.Refused(Put(B, ifVersion: 0));
        Judge.FailsOnly(_store.Evidence, Rule.Refusal);
    }

    [Fact]
    public void A_condition_on_the_agents_version_is_one()
    {
        _store.Put(A, "k", "1");
        _store.Refused(new Share(A, [new Write("x", "1")], IfAgentVersion: 0));
        Judge.Passes(_store.Evidence);

        _store.Refused(new Share(A, [new Write("x", "1")], IfAgentVersion: 1));
        Judge.FailsOnly(_store.Evidence, Rule.Refusal);
    }

    [Fact]
    public void A_refusal_without_any_condition_is_found()
    {
        RecordedCall refused = _store.Refused(new Share(A, [new Write("k", "1")]));
        Judge.Passes(_store.Evidence);
        _store.Replace(refused, refused with { Result = new CallResult(Outcome.Refused, null, "SH-1001") });
        Judge.FailsOnly(_store.Evidence, Rule.Refusal);
    }

    [Fact]
    public void What_was_asked_for_while_the_call_ran_may_have_been_first_but_nothing_later()
    {
        _store.Put(A, "k", "1");
        RecordedCall refused = _store.Refused(Put(A, ifVersion: 1));
        RecordedCall other = _store.Put(A, "k", "2");
        _store.Move(other, refused.EndedAt, refused.EndedAt + 10);
        Judge.Passes(_store.Evidence);

        _store.Move(_store.Calls[^1], refused.EndedAt + 1, refused.EndedAt + 10);
        Judge.FailsOnly(_store.Evidence, Rule.Refusal);
    }

    [Fact]
    public void What_was_acknowledged_only_while_the_call_ran_may_not_have_been_there_yet_but_nothing_earlier()
    {
        _store.Put(A, "k", "1");
        RecordedCall other = _store.Put(A, "k", "2");
        RecordedCall refused = _store.Refused(Put(A, ifVersion: 2));
        _store.Move(other, other.InvokedAt, refused.InvokedAt);
        Judge.Passes(_store.Evidence);

        _store.Move(_store.Calls[1], other.InvokedAt, refused.InvokedAt - 1);
        Judge.FailsOnly(_store.Evidence, Rule.Refusal);
    }

    [Fact]
    public void A_version_that_came_after_one_that_was_acknowledged_is_no_older()
    {
        _store.Put(A, "k", "1");
        _store.Unknown(landed: true, Put(A, ifVersion: 1));
        _store.Refused(Put(A, ifVersion: 2));
        Judge.Passes(_store.Evidence);

        // The commit on top of it was acknowledged, so the one that nobody was told of had landed too.
        var above = new FakeStore();
        above.Put(A, "k", "1");
        above.Unknown(landed: true, Put(A, ifVersion: 1));
        above.Put(A, "x", "1");
        above.Refused(Put(A, ifVersion: 2));
        Judge.FailsOnly(above.Evidence, Rule.Refusal);
    }

    [Fact]
    public void A_refusal_that_rests_on_what_never_became_durable_is_found()
    {
        _store.Put(A, "k", "1");
        _store.Unknown(landed: true, Put(A, ifVersion: 1));
        _store.Refused(Put(A, ifVersion: 1));
        Judge.Passes(_store.Evidence);

        var lost = new FakeStore();
        lost.Put(A, "k", "1");
        lost.Unknown(landed: false, Put(A, ifVersion: 1));
        lost.Refused(Put(A, ifVersion: 1));
        Judge.FailsOnly(lost.Evidence, Rule.Refusal);
    }

    [Fact]
    public void Of_a_commit_over_several_agents_one_condition_that_did_not_hold_is_enough()
    {
        _store.Put(A, "k", "1");
        _store.Put(B, "k", "1");
        _store.Refused(Put(A, ifVersion: 1), Put(B, ifVersion: 0));
        Judge.Passes(_store.Evidence);

        _store.Refused(Put(A, ifVersion: 1), Put(B, ifVersion: 1));
        Judge.FailsOnly(_store.Evidence, Rule.Refusal);
    }

    [Fact]
    public void Between_several_processes_a_refusal_may_rest_on_an_old_state()
    {
        _store.Put(A, "k", "1");
        _store.Refused(Put(A, ifVersion: 1));
        Judge.Passes(_store.Evidence, new CheckOptions { IsShared = true });
        Judge.FailsOnly(_store.Evidence, Rule.Refusal);
    }

    private static Share Put(AgentName agent, long ifVersion) => new(agent, [new Write("k", "2", ifVersion)]);
}
