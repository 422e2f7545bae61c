using System.Globalization;
using System.Text;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Tests.Checker;

/// <summary>
/// A store that makes no mistakes, with a journal like the real one's, and the history of its clients. Tests bend what it made. Each
/// method is one call; the clock goes 10 µs on with each, unless times are given, so that calls overlap where a test wants it.
/// </summary>
internal sealed class FakeStore
{
    public static readonly AgentName A = new("faults", "a");
    public static readonly AgentName B = new("faults", "b");

    private readonly Dictionary<AgentName, List<JournaledCommit>> _journals = [];
    private readonly Dictionary<(AgentName, string), List<(long AgentVersion, string? Value, long CommitTs)>> _keys = [];
    private readonly Dictionary<(AgentName, string), CommitAnswer> _remembered = [];
    private long _commitTs = 100;
    private long _now;

    /// <summary>Whether receipts carry hashes. Off where a test changes the journal, and with it the hashes.</summary>
    public bool TellsHashes { get; init; } = true;

    public List<RecordedCall> Calls { get; } = [];

    public List<SeenCommit> Seen { get; } = [];

    public long Version(AgentName agent) => _journals.GetValueOrDefault(agent)?.Count ?? 0;

    public RunEvidence Evidence => new(
        [.. Calls], [.. Seen],
        _journals.ToDictionary(pair => pair.Key, pair => new AgentJournal(pair.Key, [.. pair.Value], ScanNow(pair.Key, "", pair.Value.Count), pair.Value[^1].Hash)),
        [.. from journal in _journals
            from commit in journal.Value
            orderby commit.CommitTs
            select new FeedEntry(journal.Key, commit.Version, commit.CommitTs, commit.Hash)]);

    /// <summary>Takes effect and is acknowledged.</summary>
    public RecordedCall Commit(params Share[] shares) => Record(new CommitCall(shares), new CallResult(Outcome.Ok, Apply(shares, null)));

    public RecordedCall Put(AgentName agent, string key, string? value, long? ifVersion = null) =>
        Commit(new Share(agent, [new Write(key, value, ifVersion)]));

    /// <summary>Takes effect the first time, and is acknowledged each time.</summary>
    public RecordedCall Keyed(string idempotencyKey, params Share[] shares)
    {
        bool isReplayed = _remembered.TryGetValue((shares[0].Agent, idempotencyKey), out CommitAnswer? answer);
        answer ??= _remembered[(shares[0].Agent, idempotencyKey)] = Apply(shares, idempotencyKey);
        return Record(new CommitCall(shares, idempotencyKey), new CallResult(Outcome.Ok, answer with { Receipts = [.. answer.Receipts.Select(r => r with { IsReplayed = isReplayed })] }));
    }

    /// <summary>As a conflict where it has a condition; else as over a limit.</summary>
    public RecordedCall Refused(params Share[] shares) =>
        Record(new CommitCall(shares), new CallResult(Outcome.Refused, null, Conditions.Has(shares) ? "SH-1001" : "SH-1004"));

    /// <param name="landed">Whether it takes effect.</param>
    /// <param name="shares">What was sent.</param>
    public RecordedCall Unknown(bool landed, params Share[] shares)
    {
        if (landed)
            Apply(shares, null);
        return Record(new CommitCall(shares), new CallResult(Outcome.Unknown, null, "timeout"));
    }

    /// <summary>In the journal, and nobody's.</summary>
    public CommitAnswer Apply(IReadOnlyList<Share> shares, string? idempotencyKey)
    {
        long commitTs = ++_commitTs;
        string txn = new Guid((int)commitTs, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]).ToString();
        return new CommitAnswer([.. shares.Select(share => Append(share, commitTs, txn, idempotencyKey))]);
    }

    public RecordedCall Read(AgentName agent, string key, long? atVersion = null, bool isStrong = true, string protocol = "http") =>
        Record(new ReadCall(agent, key, atVersion, isStrong), new CallResult(Outcome.Ok, ReadNow(agent, key, atVersion ?? Version(agent), protocol)), protocol);

    public RecordedCall Scan(AgentName agent, string prefix = "", long? atVersion = null, bool isStrong = true, string protocol = "http")
    {
        ScanAnswer answer = ScanNow(agent, prefix, atVersion ?? Version(agent));
        return Record(new ScanCall(agent, prefix, atVersion, isStrong), new CallResult(Outcome.Ok, protocol == "grpc" ? answer with { AgentVersion = 0 } : answer), protocol);
    }

    /// <summary>Reads keys, then commits shares, in one transaction; none = aborts it.</summary>
    public RecordedCall Transaction((AgentName Agent, string Key)[] reads, params Share[] shares)
    {
        ReadAnswer[] answers = [.. reads.Select(read => ReadNow(read.Agent, read.Key, Version(read.Agent), "http"))];
        IReadOnlyList<Receipt> receipts = shares.Length == 0 ? [] : Apply(shares, null).Receipts;
        return Record(new TransactionCall(reads, _ => shares), new CallResult(Outcome.Ok, new TransactionAnswer(answers, shares, receipts)));
    }

    /// <summary>A follower is shown all commits of an agent from a version on.</summary>
    public void Follow(string follower, AgentName agent, long fromVersion = 1) =>
        Seen.AddRange(_journals[agent].Where(c => c.Version >= fromVersion).Select(c => new SeenCommit(follower, agent, c.Version, c.CommitTs, c.Hash, _now += 10)));

    /// <summary>Gives a call other times.</summary>
    public void Move(RecordedCall call, long invokedAt, long endedAt) => Replace(call, call with { InvokedAt = invokedAt, EndedAt = endedAt });

    /// <summary>Gives a call another answer.</summary>
    public void Answer(RecordedCall call, Answer answer) => Replace(call, call with { Result = call.Result with { Answer = answer } });

    public void Replace(RecordedCall call, RecordedCall other) => Calls[Calls.IndexOf(call)] = other;

    /// <summary>An agent's journal with its commits changed, and the hashes, the state and the feed made anew to fit: only the change is wrong.</summary>
    public static RunEvidence WithJournal(RunEvidence evidence, AgentName agent, Func<IReadOnlyList<JournaledCommit>, IEnumerable<JournaledCommit>> change)
    {
        string hash = HashChain.Genesis(0, agent.Namespace, agent.Id);
        var commits = new List<JournaledCommit>();
        foreach (JournaledCommit commit in change(evidence.Journals[agent].Commits))
        {
            JournaledCommit whole = commit with { Body = Body(commit.Operations, commit.IdempotencyKey) };
            commits.Add(whole with { Hash = hash = HashChain.Next(hash, whole.Version, whole.Time, whole.TxnId, whole.Body) });
        }
        var journals = new Dictionary<AgentName, AgentJournal>(evidence.Journals)
        {
            [agent] = new AgentJournal(agent, commits, new ScanAnswer(commits.Count == 0 ? 0 : commits.Max(c => c.Version), Fold(commits)), hash),
        };
        return evidence with
        {
            Journals = journals,
            Feed = [.. from journal in journals.Values from c in journal.Commits orderby c.CommitTs select new FeedEntry(journal.Agent, c.Version, c.CommitTs, c.Hash)],
        };
    }

    private static IReadOnlyList<ScannedKey> Fold(IEnumerable<JournaledCommit> commits) =>
        [.. from commit in commits
            from operation in commit.Operations
            group operation by operation.Key into key
            where key.Last().Value is not null
            orderby key.Key
            select new ScannedKey(key.Key, key.Last().Value!, key.Count())];

    private static string Body(IReadOnlyList<JournaledOperation> operations, string? idempotencyKey)
    {
        IEnumerable<string> texts = operations.Select(o => o.Value is null
            ? $$"""{"op":"delete","key":"{{o.Key}}","version":{{o.KeyVersion}}}"""
            : $$"""{"op":"put","key":"{{o.Key}}","value":{{o.Value}},"version":{{o.KeyVersion}}}""");
        var body = new StringBuilder("{\"operations\":[").AppendJoin(',', texts).Append(']');
        return (idempotencyKey is null ? body : body.Append(",\"idempotency_key\":\"").Append(idempotencyKey).Append('"')).Append('}').ToString();
    }

    private RecordedCall Record(Call call, CallResult result, string protocol = "http")
    {
        var recorded = new RecordedCall(Calls.Count + 1, 1, "tests", protocol, _now += 10, _now += 10, call, result);
        Calls.Add(recorded);
        return recorded;
    }

    private Receipt Append(Share share, long commitTs, string txn, string? idempotencyKey)
    {
        if (!_journals.TryGetValue(share.Agent, out List<JournaledCommit>? journal))
            _journals.Add(share.Agent, journal = []);
        long version = journal.Count + 1;
        var operations = new List<JournaledOperation>();
        foreach (Write write in share.Writes)
        {
            if (!_keys.TryGetValue((share.Agent, write.Key), out List<(long, string?, long)>? versions))
                _keys.Add((share.Agent, write.Key), versions = []);
            versions.Add((version, write.Value, commitTs));
            operations.Add(new JournaledOperation(write.Key, write.Value, versions.Count));
        }
        string time = DateTimeOffset.UnixEpoch.AddMicroseconds(1_800_000_000_000_000 + commitTs).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        string body = Body(operations, idempotencyKey);
        string hash = HashChain.Next(journal.Count == 0 ? HashChain.Genesis(0, share.Agent.Namespace, share.Agent.Id) : journal[^1].Hash, version, time, txn, body);
        journal.Add(new JournaledCommit(version, commitTs, time, txn, hash, body, operations, idempotencyKey));
        return new Receipt(share.Agent, version, commitTs, txn, TellsHashes ? hash : "", false);
    }

    private ReadAnswer ReadNow(AgentName agent, string key, long atVersion, string protocol)
    {
        List<(long AgentVersion, string? Value, long CommitTs)> versions = _keys.GetValueOrDefault((agent, key)) ?? [];
        long told = protocol == "grpc" ? 0 : atVersion;
        int last = versions.FindLastIndex(version => version.AgentVersion <= atVersion);
        return last < 0
            ? new ReadAnswer(false, null, 0, told, 0)
            : new ReadAnswer(versions[last].Value is not null, versions[last].Value, last + 1, told, versions[last].CommitTs);
    }

    private ScanAnswer ScanNow(AgentName agent, string prefix, long atVersion) => new(
        atVersion,
        [.. from key in _keys.Keys
            where key.Item1 == agent && key.Item2.StartsWith(prefix, StringComparison.Ordinal)
            orderby key.Item2
            let read = ReadNow(agent, key.Item2, atVersion, "http")
            where read.Exists
            select new ScannedKey(key.Item2, read.Value!, read.KeyVersion)]);
}
