using System.Text;

namespace Statehouse.Grains.Tests;

/// <summary>
/// Values of every type of the contract: one with all fields set, one with as few as possible. Their bytes are
/// checked in (see <see cref="GoldenTests"/>), so none is ever changed; new fields get new samples.
/// </summary>
internal static class Samples
{
    private static readonly Guid TxnId = Guid.Parse("0191e1f0-0000-7000-8000-00000000002a");

    private static readonly CommitHash Hash = CommitHash.FromBytes([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);

    private static readonly CommitTime Time = new(1_767_225_600_000_123);

    private static readonly AgentId Agent = new("default", "ada/λ:1");

    private static readonly Operation Put = new(
        OperationKind.Put, new Key("plan/ü"), Json("""{"steps":[1,2.50,"drei"],"big":12345678901234567890}"""), new KeyVersion(0), IfLive: false);

    private static readonly CommitRequest Request = new([Put, new Operation(OperationKind.Delete, new Key("old"), IfVersion: new KeyVersion(7), IfLive: true)])
    {
        IfAgentVersion = new AgentVersion(0),
        IdempotencyKey = "run-7/step-3",
        Metadata = Json("""{"by":"ada"}"""),
        Reads = [new ReadCheck(new Key("seen"), new KeyVersion(3)), new ReadCheck(new Key("never"), KeyVersion.None)],
        TxnId = TxnId,
    };

    private static readonly CommitReceipt Receipt = new(
        new AgentVersion(12), new CommitTs(987_654_321), Time, TxnId, Hash, "run-7/step-3", Json("""{"by":"ada"}"""),
        [new KeyVersion(1), new KeyVersion(300)], Replayed: true);

    private static readonly JournalCommit Commit = new(
        new AgentVersion(12), new CommitTs(987_654_321), Time, TxnId, Hash,
        Encoding.UTF8.GetBytes("""{"operations":[{"op":"put","key":"k","value":1,"version":1}]}"""));

    private static readonly IndexRow Index = new(
        3, "refund", ["team=a", "über=ö"], Time, new CommitTime(Time.UnixMicroseconds + 1), Encoding.UTF8.GetBytes("""{"step":7}"""));

    private static readonly KeyState State = new(
        new Key("plan"), true, Json("\"v\""), new KeyVersion(3), new CommitTs(44), Time, new AgentVersion(12));

    /// <summary>By name, which is the file name of their bytes.</summary>
    public static readonly IReadOnlyDictionary<string, object> All = new Dictionary<string, object>
    {
        ["AgentCommitRequest.full"] = new AgentCommitRequest(Agent, Request),
        ["AgentCommitRequest.reads-only"] = new AgentCommitRequest(
            Agent, new CommitRequest([]) { Reads = [new ReadCheck(new Key("seen"), new KeyVersion(3))] }),
        ["AgentHead.full"] = new AgentHead(new AgentVersion(12), new CommitTs(44), Time, Hash, 5, 1_234, new AgentVersion(2)),
        ["AgentHead.empty"] = new AgentHead(default, default, default, default, 0, 0, default),
        ["AgentId.agent"] = Agent,
        ["AgentId.execution"] = new AgentId(AgentKind.Execution, "default", "run-7"),
        ["AgentVersion.full"] = new AgentVersion(long.MaxValue),
        ["AgentVersion.none"] = AgentVersion.None,
        ["AgentVersion.negative"] = new AgentVersion(-1),
        ["CommitHash.full"] = Hash,
        ["CommitHash.empty"] = default(CommitHash),
        ["CommitReceipt.full"] = Receipt,
        ["CommitReceipt.repeat"] = new CommitReceipt(new AgentVersion(1), new CommitTs(1), Time, TxnId, Hash, null, default, default, true),
        ["CommitRequest.full"] = Request,
        ["CommitRequest.one-put"] = new CommitRequest([new Operation(OperationKind.Put, new Key("k"), Json("1"))]),
        ["CommitRequest.large"] = new CommitRequest(
            [.. Enumerable.Range(0, 3).Select(i => new Operation(OperationKind.Put, new Key($"k{i}"), Json($"\"{new string('x', 200 * i)}\"")))]),
        ["CommitRequest.empty"] = new CommitRequest([]),
        ["CommitRequest.positioned"] = Request with { IfAgentCommitTs = new CommitTs(44) },
        ["CommitTime.full"] = Time,
        ["CommitTs.full"] = new CommitTs(987_654_321),
        ["GetRequest.full"] = new GetRequest(new Key("plan"), ReadPoint.AtVersion(new AgentVersion(9)), Consistency.Strong),
        ["GetRequest.latest"] = new GetRequest(new Key("plan")),
        ["HeldAgent.commit"] = new HeldAgent(new AgentVersion(11), Hash, 7001, Commit, null),
        ["HeldAgent.repeat"] = new HeldAgent(new AgentVersion(11), Hash, 7001, null, Receipt),
        ["HeldAgent.read-only"] = new HeldAgent(AgentVersion.None, CommitHash.Genesis(Agent), 0, null, null),
        ["HeldAgent.indexed"] = new HeldAgent(new AgentVersion(11), Hash, 7001, Commit with { Index = Index }, null),
        ["HistoryPage.full"] = new HistoryPage([Commit, Commit with { Version = new AgentVersion(13) }], true),
        ["HistoryPage.empty"] = new HistoryPage([], false),
        ["HistoryRequest.full"] = new HistoryRequest(new AgentVersion(3), new AgentVersion(9), 100, NewestFirst: true),
        ["HistoryRequest.open"] = new HistoryRequest(default, null, 1),
        ["HoldEnd.committed"] = new HoldEnd(HoldOutcome.Committed, new CommitTs(44)),
        ["HoldEnd.not-written"] = default(HoldEnd),
        ["HoldEnd.unknown"] = new HoldEnd(HoldOutcome.Unknown, CommitTs.None),
        ["HoldEnd.stale"] = new HoldEnd(HoldOutcome.Stale),
        ["HoldRequest.full"] = new HoldRequest(TxnId, Request, TimeSpan.FromSeconds(10), new AgentVersion(9)),
        ["HoldRequest.named"] = new HoldRequest(TxnId, Request, TimeSpan.FromSeconds(10), new AgentVersion(9), Guid.Parse("0191e1f0-0000-7000-8000-0000000000ff")),
        ["IndexRow.full"] = Index,
        ["IndexRow.empty"] = new IndexRow(0, "", [], default, null, default),
        ["JournalCommit.full"] = Commit,
        ["JournalCommit.unacknowledged"] = Commit with { CommitTs = CommitTs.None },
        ["JournalCommit.detailed"] = Commit with { Body = new byte[] { (byte)'{', (byte)'}', CommitBody.DetailSeparator, 1, 1, 2, (byte)'4', (byte)'2' } },
        ["JournalCommit.indexed"] = Commit with { Index = Index },
        ["JsonText.full"] = Json("""{"a":[null,true,-0.0e+5]}"""),
        ["JsonText.absent"] = default(JsonText),
        ["Key.full"] = new Key("plan/ü\u0001😀"),
        ["Key.empty"] = default(Key),
        ["KeyState.full"] = State,
        ["KeyState.never-written"] = new KeyState(new Key("no"), false, default, default, default, default, new AgentVersion(12)),
        ["KeyVersion.full"] = new KeyVersion(3),
        ["Operation.put"] = Put,
        ["Operation.delete"] = new Operation(OperationKind.Delete, new Key("old")),
        ["Operation.detached"] = Put with { IsDetached = true },
        ["Operation.detached-whole"] = Put with { IsDetached = true, IsWhole = true },
        ["ReadCheck.full"] = new ReadCheck(new Key("seen"), new KeyVersion(3)),
        ["ReadPoint.time"] = ReadPoint.AtTime(Time),
        ["ReadPoint.latest"] = ReadPoint.Latest,
        ["ScanPage.full"] = new ScanPage(new AgentVersion(12), [State, State with { Value = default }], true),
        ["ScanPage.empty"] = new ScanPage(new AgentVersion(12), [], false),
        ["ScanRequest.full"] = new ScanRequest(
            new Key("p"), new Key("plan"), 1_000, KeysOnly: true, ReadPoint.AtCommitTs(new CommitTs(44)), Consistency.Strong),
        ["ScanRequest.all"] = new ScanRequest(default, default, 100),
    };

    public static IEnumerable<TheoryDataRow<string>> Names => All.Keys.Select(name => new TheoryDataRow<string>(name));

    public static JsonText Json(string text) => JsonText.Parse("value", Encoding.UTF8.GetBytes(text), 64);
}
