using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Checker.FakeStore;

namespace Statehouse.Faults.Tests.Checker;

public sealed class OrderRulesTests
{
    private readonly FakeStore _store = new();

    [Theory]
    [InlineData("http")]
    [InlineData("grpc")]
    public void A_read_that_misses_what_was_acknowledged_before_is_stale(string protocol)
    {
        _store.Put(A, "k", "1");
        RecordedCall write = _store.Put(A, "k", "2");
        RecordedCall read = _store.Read(A, "k", protocol: protocol);
        var old = new ReadAnswer(true, "1", 1, protocol == "grpc" ? 0 : 1, 101);
        Judge.Passes(_store.Evidence);
        _store.Answer(read, old);
        Violation violation = Judge.FailsOnly(_store.Evidence, Rule.Linearizable);
        Assert.Equal([write, _store.Calls[2]], violation.Calls);
        // The same answer is right where the write had not ended.
        _store.Move(write, 30, 51);
        Judge.Passes(_store.Evidence);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("grpc")]
    public void Reads_that_go_back_are_found_also_while_the_write_is_under_way(string protocol)
    {
        _store.Put(A, "k", "1");
        RecordedCall write = _store.Put(A, "k", "2");
        RecordedCall first = _store.Read(A, "k", protocol: protocol);
        RecordedCall second = _store.Read(A, "k", protocol: protocol);
        _store.Move(write, 30, 1_000);
        Judge.Passes(_store.Evidence);
        _store.Answer(second, new ReadAnswer(true, "1", 1, protocol == "grpc" ? 0 : 1, 101));
        Assert.Equal([first, _store.Calls[3]], Judge.FailsOnly(_store.Evidence, Rule.Linearizable).Calls);
    }

    [Fact]
    public void A_scan_that_is_stale_is_found_though_it_tells_no_version()
    {
        _store.Put(A, "k", "1");
        _store.Put(A, "k", null);
        RecordedCall empty = _store.Scan(A, protocol: "grpc");
        _store.Put(A, "k", "3");
        _store.Put(A, "k", null);
        _store.Scan(A, protocol: "grpc");
        Judge.Passes(_store.Evidence);
        // Empty it was twice, but not between: a scan there, of nothing, is one too many.
        _store.Move(empty, 82, 83);
        Judge.Fails(_store.Evidence, Rule.Linearizable);
        _store.Move(_store.Calls[2], 75, 76);
        Judge.Passes(_store.Evidence);
    }

    [Fact]
    public void Commits_in_another_order_than_real_time_are_found()
    {
        RecordedCall first = _store.Put(A, "k", "1");
        RecordedCall second = _store.Put(A, "k", "2");
        _store.Move(first, 0, 100);
        _store.Move(second, 10, 90);
        Judge.Passes(_store.Evidence);
        _store.Move(_store.Calls[0], 95, 100);
        Judge.Fails(_store.Evidence, Rule.Linearizable);
    }

    [Fact]
    public void Who_saw_a_transaction_on_one_agent_sees_it_on_the_other()
    {
        _store.Put(B, "k", "0");
        RecordedCall both = _store.Commit(new Share(A, [new Write("k", "1")]), new Share(B, [new Write("k", "1")]));
        RecordedCall seen = _store.Read(A, "k");
        RecordedCall then = _store.Read(B, "k");
        _store.Move(both, 30, 1_000);
        Judge.Passes(_store.Evidence);
        _store.Answer(then, new ReadAnswer(true, "0", 1, 1, 101));
        Violation violation = Judge.FailsOnly(_store.Evidence, Rule.Atomic);
        Assert.Equal([_store.Calls[1], seen, _store.Calls[3]], violation.Calls);
        // Each agent alone is fine: where the first read is the later one, nothing is wrong.
        _store.Move(seen, 2_000, 2_001);
        Judge.Passes(_store.Evidence);
    }

    [Fact]
    public void What_had_an_unknown_outcome_takes_effect_at_any_time_after_it_was_sent()
    {
        _store.Put(A, "k", "1");
        RecordedCall late = _store.Unknown(landed: true, new Share(A, [new Write("k", "2")]));
        RecordedCall read = _store.Read(A, "k");
        _store.Move(late, 21, 22);
        _store.Answer(read, new ReadAnswer(true, "1", 1, 1, 101));
        Judge.Passes(_store.Evidence);
        _store.Answer(_store.Calls[2], new ReadAnswer(true, "2", 2, 2, 102));
        _store.Move(_store.Calls[1], 500, 600);
        Judge.Fails(_store.Evidence, Rule.Linearizable);
    }
}
