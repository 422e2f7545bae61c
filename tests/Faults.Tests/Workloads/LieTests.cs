using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Tests.Workloads;

/// <summary>True evidence of a short run, with one thing in it made untrue: the workload's own check says so.</summary>
public sealed class LieTests(TrueRuns runs) : IClassFixture<TrueRuns>
{
    [Fact]
    public Task Registers_find_a_read_of_what_nobody_wrote() => FindsAsync("registers", "no call wrote", evidence =>
        Alter<ReadCall, ReadAnswer>(evidence, answer => answer.Exists, (_, answer) => answer with { Value = """{"by":"nobody"}""" }));

    [Fact]
    public Task Registers_find_a_read_that_is_not_of_the_version_it_names() => FindsAsync("registers", "the journal says", evidence =>
        Alter<ReadCall, ReadAnswer>(evidence, answer => answer.Exists && answer.AgentVersion > 0, (_, answer) => answer with { KeyVersion = answer.KeyVersion + 1 }));

    [Fact]
    public Task Registers_find_two_winners_of_one_compare_and_set() => FindsAsync("registers", "two writes succeeded", evidence =>
    {
        RecordedCall winner = evidence.Calls.First(call => IsOk(call) && call.Call is CommitCall { Shares: [{ Writes: [{ IfVersion: not null }] }] });
        return evidence with { Calls = [.. evidence.Calls, winner with { Number = evidence.Calls.Count + 1 }] };
    });

    [Fact]
    public Task Registers_find_the_value_of_a_refused_write() => FindsAsync("registers", "was refused", evidence =>
    {
        HashSet<string> shown = [.. evidence.Calls.Select(call => (call.Result.Answer as ReadAnswer)?.Value).OfType<string>()];
        return Replace(evidence, call => IsOk(call) && call.Call is CommitCall commit && commit.Shares[0].Writes[0].Value is { } value && shown.Contains(value), Refuse);
    });

    [Fact]
    public Task Counters_find_an_increment_that_was_lost() => FindsAsync("counters", "increments that succeeded", evidence =>
    {
        RecordedCall increment = evidence.Calls.First(call => IsOk(call) && call.Call is CommitCall);
        return evidence with { Calls = [.. evidence.Calls, increment with { Number = evidence.Calls.Count + 1 }] };
    });

    [Fact]
    public Task Counters_find_an_increment_that_was_done_twice() => FindsAsync("counters", "lost or done twice", evidence =>
        AlterJournal(evidence, commits => commits.Count > 3, commits => [.. commits[..2], commits[1], .. commits[2..]]));

    [Fact]
    public Task Banks_find_money_made_in_a_scan() => FindsAsync("bank", "a scan of", evidence =>
        Alter<ScanCall, ScanAnswer>(evidence, scan => scan.Items.Count > 1, (_, scan) => scan with { Items = [.. scan.Items.Select(item => item with { Value = scan.Items[0].Value })] },
            (_, scan) => scan.Items.Select(item => Bank.BalanceOf(item.Value)).Distinct().Count() > 1 && scan.Items.Sum(item => Bank.BalanceOf(item.Value)) != scan.Items.Count * Bank.BalanceOf(scan.Items[0].Value)));

    [Fact]
    public Task Banks_find_money_made_in_a_transaction() => FindsAsync("bank", "a transaction that read all accounts", evidence =>
        Alter<TransactionCall, TransactionAnswer>(
            evidence, answer => answer.Reads.Count > 4,
            (_, answer) => answer with { Reads = [.. answer.Reads.Select((read, i) => i > 0 ? read : read with { Value = """{"b":9999}""", Exists = true })] }));

    [Fact]
    public Task Banks_find_half_a_transfer_in_the_journals() => FindsAsync("bank", "by the journals", evidence =>
    {
        // One agent of a transfer over two lacks its share.
        long commitTs = SharedCommitTs(evidence, agents: 2);
        return AlterJournal(evidence, commits => commits.Exists(commit => commit.CommitTs == commitTs), commits => [.. commits.Where(commit => commit.CommitTs != commitTs)]);
    });

    [Fact]
    public Task Appends_find_an_element_that_was_lost() => FindsAsync("append", "has lost", evidence =>
        AlterState(evidence, item => item.Value.Contains("\",\""), item => item with { Value = Cut(item.Value) }));

    [Fact]
    public Task Appends_find_an_element_that_is_there_twice() => FindsAsync("append", "times", evidence =>
        AlterState(evidence, item => item.Value.Contains("\",\""), item => item with { Value = item.Value.Replace("[", $"[{Last(item.Value)},") }));

    [Fact]
    public Task Appends_find_elements_in_another_order_than_they_were_acknowledged() => FindsAsync("append", "before an element", evidence =>
        AlterState(evidence, item => item.Value.Split(',').Length > 6, item => item with { Value = Cut(item.Value).Replace("[", $"[{Last(item.Value)},") }));

    [Fact]
    public Task Appends_find_a_read_that_later_lists_do_not_begin_with() => FindsAsync("append", "not the beginning", evidence =>
        Alter<ReadCall, ReadAnswer>(evidence, answer => answer.Exists && answer.Value!.Contains("\",\""), (_, answer) => answer with { Value = answer.Value!.Replace("[", $"[{Last(answer.Value)},") }));

    [Fact]
    public Task Sets_find_an_element_that_is_gone() => FindsAsync("sets", "has lost", evidence =>
    {
        HashSet<string> deleted = [.. Writes(evidence).Where(write => write.Value is null).Select(write => write.Key)];
        return AlterState(evidence, item => !deleted.Contains(item.Key), _ => null);
    });

    [Fact]
    public Task Sets_find_an_element_that_came_back() => FindsAsync("sets", "still holds", evidence =>
    {
        Share share = evidence.Calls.Where(IsOk).Select(call => call.Call).OfType<CommitCall>().Select(commit => commit.Shares[0]).First(share => share.Writes[0].Value is null);
        AgentJournal journal = evidence.Journals[share.Agent];
        ScannedKey back = new(share.Writes[0].Key, """{"by":"nobody"}""", 3);
        return With(evidence, journal with { State = journal.State with { Items = [.. journal.State.Items, back] } });
    });

    [Fact]
    public Task Sets_find_a_scan_that_passes_over_an_element() => FindsAsync("sets", "did not show", evidence =>
    {
        HashSet<string> deleted = [.. Writes(evidence).Where(write => write.Value is null).Select(write => write.Key)];
        // The last scan: what it shows had mostly been acknowledged before.
        RecordedCall last = evidence.Calls.Last(call => call.Result.Answer is ScanAnswer scan && scan.Items.Any(item => !deleted.Contains(item.Key)));
        return Replace(evidence, call => call == last, call => call with { Result = call.Result with { Answer = (ScanAnswer)call.Result.Answer! with { Items = [] } } });
    });

    [Fact]
    public Task Transactions_find_one_that_is_on_some_of_its_agents_only() => FindsAsync("transactions", "is in the journals of", evidence =>
    {
        long commitTs = SharedCommitTs(evidence, agents: 3);
        return AlterJournal(evidence, commits => commits.Exists(commit => commit.CommitTs == commitTs), commits => [.. commits.Where(commit => commit.CommitTs != commitTs)]);
    });

    [Fact]
    public Task Transactions_find_one_that_was_decided_on_old_reads() => FindsAsync("transactions", "no longer so", evidence =>
        AlterJournal(evidence, commits => commits.Count > 1, commits =>
            [.. commits.Select(commit => commit with { Operations = [.. commit.Operations.Select(operation => operation with { KeyVersion = operation.KeyVersion + 1 })] })]));

    [Fact]
    public Task Retries_find_a_second_effect() => FindsAsync("retries", "has 2 commits of idempotency key", evidence =>
        AlterJournal(evidence, commits => commits.Count > 0, commits => [.. commits, commits[^1] with { Version = commits[^1].Version + 1 }]));

    [Fact]
    public Task Retries_find_another_receipt_for_the_same_key() => FindsAsync("retries", "different receipts", evidence =>
        Alter<CommitCall, CommitAnswer>(evidence, answer => answer.Receipts[0].IsReplayed, (_, answer) => answer with { Receipts = [.. answer.Receipts.Select(receipt => receipt with { Version = receipt.Version + 1 })] }));

    [Fact]
    public Task Retries_find_a_repeat_that_is_answered_as_if_it_were_the_first() => FindsAsync("retries", "for the first time", evidence =>
        Alter<CommitCall, CommitAnswer>(evidence, answer => answer.Receipts[0].IsReplayed, (_, answer) => answer with { Receipts = [.. answer.Receipts.Select(receipt => receipt with { IsReplayed = false })] }));

    [Fact]
    public Task Followers_find_a_gap() => FindsAsync("followers", "missing, doubled or out of order", evidence =>
        evidence with { Seen = [.. evidence.Seen.Where((_, i) => i != 2)] });

    [Fact]
    public Task Followers_find_a_repeat() => FindsAsync("followers", "missing, doubled or out of order", evidence =>
        evidence with { Seen = [.. evidence.Seen, evidence.Seen[^1]] });

    [Fact]
    public Task Followers_find_a_commit_that_the_journal_has_otherwise() => FindsAsync("followers", "the journal has", evidence =>
        evidence with { Seen = [.. evidence.Seen.Select(seen => seen with { Hash = new string('0', 64) })] });

    private async Task FindsAsync(string name, string expected, Func<RunEvidence, RunEvidence> lie)
    {
        (IWorkload workload, RunEvidence truth) = await runs.GetAsync(name);
        Assert.Empty(workload.Check(truth));

        Violation[] found = [.. workload.Check(lie(truth))];

        Assert.Contains(found, violation => violation.Message.Contains(expected, StringComparison.Ordinal));
        Assert.All(found, violation => Assert.Equal(name, violation.Rule));
    }

    private static bool IsOk(RecordedCall call) => call.Result.Outcome == Outcome.Ok;

    private static IEnumerable<Write> Writes(RunEvidence evidence) =>
        evidence.Calls.Where(IsOk).Select(call => call.Call).OfType<CommitCall>().SelectMany(commit => commit.Shares).SelectMany(share => share.Writes);

    private static long SharedCommitTs(RunEvidence evidence, int agents) =>
        evidence.Journals.Values.SelectMany(journal => journal.Commits).GroupBy(commit => commit.CommitTs).First(commits => commits.Count() == agents).Key;

    private static string Last(string list) => list[(list.LastIndexOf(',') + 1)..list.IndexOf(']')];

    private static string Cut(string list) => list[..list.LastIndexOf(',')] + "]}";

    private static RecordedCall Refuse(RecordedCall call) => call with { Result = new CallResult(Outcome.Refused, null, "SH-1001") };

    private static RunEvidence Alter<TCall, TAnswer>(
        RunEvidence evidence, Func<TAnswer, bool> which, Func<TCall, TAnswer, TAnswer> lie, Func<TCall, TAnswer, bool>? also = null)
        where TCall : Call
        where TAnswer : Answer =>
        Replace(
            evidence,
            call => IsOk(call) && call.Call is TCall asked && call.Result.Answer is TAnswer answer && which(answer) && (also?.Invoke(asked, answer) ?? true),
            call => call with { Result = call.Result with { Answer = lie((TCall)call.Call, (TAnswer)call.Result.Answer!) } });

    private static RunEvidence Replace(RunEvidence evidence, Func<RecordedCall, bool> which, Func<RecordedCall, RecordedCall> lie)
    {
        RecordedCall victim = evidence.Calls.First(which);
        return evidence with { Calls = [.. evidence.Calls.Select(call => call == victim ? lie(call) : call)] };
    }

    private static RunEvidence AlterJournal(
        RunEvidence evidence, Func<List<JournaledCommit>, bool> which, Func<List<JournaledCommit>, IReadOnlyList<JournaledCommit>> lie)
    {
        AgentJournal victim = evidence.Journals.Values.First(journal => which([.. journal.Commits]));
        return With(evidence, victim with { Commits = lie([.. victim.Commits]) });
    }

    private static RunEvidence AlterState(RunEvidence evidence, Func<ScannedKey, bool> which, Func<ScannedKey, ScannedKey?> lie)
    {
        AgentJournal victim = evidence.Journals.Values.First(journal => journal.State.Items.Any(which));
        ScannedKey item = victim.State.Items.First(which);
        IEnumerable<ScannedKey> items = victim.State.Items.Select(each => each == item ? lie(each) : each).OfType<ScannedKey>();
        return With(evidence, victim with { State = victim.State with { Items = [.. items] } });
    }

    private static RunEvidence With(RunEvidence evidence, AgentJournal journal) =>
        evidence with { Journals = new Dictionary<AgentName, AgentJournal>(evidence.Journals) { [journal.Agent] = journal } };
}
