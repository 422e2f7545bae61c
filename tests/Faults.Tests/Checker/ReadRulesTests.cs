using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Checker.FakeStore;

namespace Statehouse.Faults.Tests.Checker;

public sealed class ReadRulesTests
{
    private readonly FakeStore _store = new();

    [Theory]
    [InlineData("http", true)]
    [InlineData("http", false)]
    [InlineData("grpc", true)]
    public void A_read_of_what_never_reached_the_journal_is_dirty(string protocol, bool isStrong)
    {
        _store.Put(A, "k", "1");
        _store.Unknown(landed: false, new Share(A, [new Write("k", "2")]));
        RecordedCall read = _store.Read(A, "k", isStrong: isStrong, protocol: protocol);
        Judge.Passes(_store.Evidence);
        var answer = (ReadAnswer)read.Result.Answer!;
        _store.Answer(read, new ReadAnswer(true, "2", 2, answer.AgentVersion == 0 ? 0 : 2, 102));
        Assert.Contains(_store.Calls[2], Judge.Fails(_store.Evidence, Rule.Confirmed).Calls);
    }

    [Fact]
    public void A_read_of_another_value_is_found()
    {
        _store.Put(A, "k", """{"n":1.0}""");
        RecordedCall read = _store.Read(A, "k");
        Judge.Passes(_store.Evidence);
        _store.Answer(read, (ReadAnswer)read.Result.Answer! with { Value = """{"n":1}""" });
        Judge.Fails(_store.Evidence, Rule.Lossless);
        // Numbers are doubles there.
        _store.Replace(_store.Calls[1], _store.Calls[1] with { Protocol = "grpc" });
        Judge.Passes(_store.Evidence);
    }

    [Fact]
    public void A_read_that_misses_a_value_or_shows_a_deleted_one_is_found()
    {
        _store.Put(A, "k", "1");
        RecordedCall there = _store.Read(A, "k");
        _store.Put(A, "k", null);
        RecordedCall gone = _store.Read(A, "k");
        Judge.Passes(_store.Evidence);
        RunEvidence good = _store.Evidence;
        _store.Answer(there, (ReadAnswer)there.Result.Answer! with { Exists = false, Value = null });
        Judge.Fails(_store.Evidence, Rule.Lossless);
        Judge.Fails(good with { Calls = [.. good.Calls.Take(3), gone with { Result = new CallResult(Outcome.Ok, new ReadAnswer(true, "1", 2, 2, 102)) }] }, Rule.Lossless);
    }

    [Fact]
    public void A_read_of_a_past_version_shows_that_version()
    {
        _store.Put(A, "k", "1");
        _store.Put(A, "k", "2");
        RecordedCall read = _store.Read(A, "k", atVersion: 1);
        Judge.Passes(_store.Evidence);
        _store.Answer(read, new ReadAnswer(true, "2", 2, 1, 102));
        Judge.FailsOnly(_store.Evidence, Rule.Atomic);
    }

    [Fact]
    public void A_read_that_names_another_commit_as_the_writer_is_found()
    {
        _store.Put(A, "k", "1");
        RecordedCall read = _store.Read(A, "k");
        Judge.Passes(_store.Evidence);
        _store.Answer(read, (ReadAnswer)read.Result.Answer! with { CommitTs = 5 });
        Judge.FailsOnly(_store.Evidence, Rule.Atomic);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("grpc")]
    public void A_scan_that_shows_half_of_a_commit_is_torn(string protocol)
    {
        _store.Commit(new Share(A, [new Write("x", "1"), new Write("y", "1")]));
        _store.Commit(new Share(A, [new Write("x", "2"), new Write("y", "2")]));
        RecordedCall scan = _store.Scan(A, protocol: protocol);
        Judge.Passes(_store.Evidence);
        var answer = (ScanAnswer)scan.Result.Answer!;
        _store.Answer(scan, answer with { Items = [answer.Items[0], new ScannedKey("y", "1", 1)] });
        Assert.Contains(_store.Calls[2], Judge.Fails(_store.Evidence, Rule.Atomic).Calls);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("grpc")]
    public void A_scan_that_lacks_a_key_or_shows_a_deleted_one_is_found(string protocol)
    {
        _store.Commit(new Share(A, [new Write("x", "1"), new Write("y", "1")]));
        _store.Put(A, "y", null);
        _store.Put(A, "z", "1");
        RecordedCall scan = _store.Scan(A, protocol: protocol);
        Judge.Passes(_store.Evidence);
        var answer = (ScanAnswer)scan.Result.Answer!;
        _store.Answer(scan, answer with { Items = [answer.Items[1]] });
        Judge.Fails(_store.Evidence, Rule.Atomic);
        _store.Answer(_store.Calls[3], answer with { Items = [answer.Items[0], new ScannedKey("y", "1", 1), answer.Items[1]] });
        Judge.Fails(_store.Evidence, Rule.Atomic);
    }

    [Fact]
    public void A_scan_out_of_order_is_found()
    {
        _store.Commit(new Share(A, [new Write("x", "1"), new Write("y", "1")]));
        RecordedCall scan = _store.Scan(A, protocol: "grpc");
        Judge.Passes(_store.Evidence);
        var answer = (ScanAnswer)scan.Result.Answer!;
        _store.Answer(scan, answer with { Items = [answer.Items[1], answer.Items[0]] });
        Judge.Fails(_store.Evidence, Rule.Atomic);
    }

    [Fact]
    public void An_intermediate_value_of_one_commit_is_never_seen()
    {
        _store.Commit(new Share(A, [new Write("k", "1"), new Write("k", "2")]));
        RecordedCall read = _store.Read(A, "k", protocol: "grpc");
        Judge.Passes(_store.Evidence);
        _store.Answer(read, new ReadAnswer(true, "1", 1, 0, 101));
        Judge.Fails(_store.Evidence, Rule.Atomic);
    }

    [Fact]
    public void A_read_that_may_be_old_may_be_old_but_not_from_the_future()
    {
        _store.Put(A, "k", "1");
        RecordedCall second = _store.Put(A, "k", "2");
        RecordedCall read = _store.Read(A, "k", isStrong: false);
        Judge.Passes(_store.Evidence);
        _store.Answer(read, new ReadAnswer(true, "1", 1, 1, 101));
        Judge.Passes(_store.Evidence);
        _store.Answer(_store.Calls[2], new ReadAnswer(true, "2", 2, 2, 102));
        _store.Move(second, 1_000, 1_010);
        Judge.FailsOnly(_store.Evidence, Rule.Confirmed);
    }

    [Fact]
    public void A_transaction_reads_one_version_of_an_agent()
    {
        _store.Commit(new Share(A, [new Write("x", "1"), new Write("y", "1")]));
        _store.Commit(new Share(A, [new Write("x", "2"), new Write("y", "2")]));
        RecordedCall read = _store.Transaction([(A, "x"), (A, "y")]);
        Judge.Passes(_store.Evidence);
        var answer = (TransactionAnswer)read.Result.Answer!;
        _store.Answer(read, answer with { Reads = [answer.Reads[0], new ReadAnswer(true, "1", 1, 1, 101)] });
        Judge.FailsOnly(_store.Evidence, Rule.Atomic);
    }

    [Fact]
    public void What_a_transaction_read_of_an_agent_that_it_writes_holds_at_its_commit()
    {
        _store.Put(A, "k", "1");
        _store.Put(A, "k", "2");
        RecordedCall transaction = _store.Transaction([(A, "k")], new Share(A, [new Write("k", "3")]));
        Judge.Passes(_store.Evidence);
        _store.Move(transaction, 11, 200);
        var answer = (TransactionAnswer)transaction.Result.Answer!;
        _store.Answer(_store.Calls[2], answer with { Reads = [new ReadAnswer(true, "1", 1, 1, 101)] });
        Judge.Fails(_store.Evidence, Rule.Serializable, new CheckOptions { IsShared = true });
        Judge.Fails(_store.Evidence, Rule.Serializable);
    }

    [Fact]
    public void What_a_transaction_only_read_holds_on_one_server_and_need_not_on_several()
    {
        _store.Put(B, "k", "1");
        RecordedCall overwriter = _store.Put(B, "k", "2");
        RecordedCall transaction = _store.Transaction([(B, "k")], new Share(A, [new Write("k", "3")]));
        Judge.Passes(_store.Evidence);
        _store.Move(transaction, 11, 200);
        var answer = (TransactionAnswer)transaction.Result.Answer!;
        _store.Answer(_store.Calls[2], answer with { Reads = [new ReadAnswer(true, "1", 1, 1, 101)] });
        Judge.Passes(_store.Evidence, new CheckOptions { IsShared = true });
        Violation violation = Judge.FailsOnly(_store.Evidence, Rule.Serializable);
        Assert.Equal([overwriter, _store.Calls[2]], violation.Calls);
    }
}
