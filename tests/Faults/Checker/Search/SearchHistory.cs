using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker.Search;

/// <summary>
/// Makes, for each agent, the history that the search is to order: what was acknowledged, what a request of unknown outcome became by
/// the journal, and reads that had to show the newest state. What was refused, or is not in the journal and was not acknowledged,
/// took no effect and is left out.
/// </summary>
internal sealed class SearchHistory
{
    private readonly Dictionary<AgentName, List<TimedCall<AgentCall>>> _agents = [];
    private readonly Dictionary<string, string> _canonical = new(StringComparer.Ordinal);
    private readonly bool _isByMeaning;

    public SearchHistory(RunEvidence evidence, EvidenceIndex index, IReadOnlyList<Placement> placements)
    {
        // gRPC keeps a value's meaning only: where it took part, all values are compared by it.
        _isByMeaning = evidence.Calls.Any(call => call.Protocol == JsonTexts.GrpcProtocol);
        foreach (Attempt attempt in index.Attempts.Where(attempt => attempt.IsAcknowledged || attempt.Landed is not null))
        {
            foreach (Share share in attempt.Shares)
                Add(share.Agent, Write(attempt, share), attempt.InvokedAt, attempt.EndedAt, Hint(attempt, share.Agent), attempt.Calls);
        }
        foreach (Placement read in placements.Where(read => read.IsNewest))
            Add(read.Agent.Agent, Read(read), read.Call.InvokedAt, read.Call.EndedAt, (2 * read.Runs[0].First) + 1, [read.Call]);
    }

    public IEnumerable<AgentName> Agents => _agents.Keys;

    /// <summary>Which recorded calls a <see cref="TimedCall{TCall}.Source"/> stands for.</summary>
    public List<IReadOnlyList<RecordedCall>> Sources { get; } = [];

    public IReadOnlyList<TimedCall<AgentCall>> Agent(AgentName agent) => _agents[agent];

    /// <summary>The agent's history, key by key: for each key what wrote or showed it.</summary>
    public IEnumerable<(string Key, IReadOnlyList<TimedCall<KeyCall>> Calls)> Keys(AgentName agent)
    {
        var keys = new SortedDictionary<string, List<TimedCall<KeyCall>>>(StringComparer.Ordinal);
        foreach (TimedCall<AgentCall> call in _agents[agent])
        {
            foreach (string key in KeysOf(call.Call))
            {
                if (!keys.TryGetValue(key, out List<TimedCall<KeyCall>>? calls))
                    keys.Add(key, calls = []);
                calls.Add(new TimedCall<KeyCall>(OnKey(call.Call, key), call.InvokedAt, call.EndedAt, call.IsOptional, call.Hint, call.Source));
            }
        }
        return keys.Select(pair => (pair.Key, (IReadOnlyList<TimedCall<KeyCall>>)pair.Value));
    }

    private static IEnumerable<string> KeysOf(AgentCall call) =>
        call.Writes.Select(write => write.Key).Concat(call.Seen.Select(seen => seen.Key)).Concat(call.Scanned?.Live.Keys ?? []).Distinct();

    private static KeyCall OnKey(AgentCall call, string key)
    {
        List<KeyState> seen = [.. call.Seen.Where(seen => seen.Key == key).Select(seen => seen.State)];
        if (call.Scanned is { } scan && scan.Live.TryGetValue(key, out KeyState live))
            seen.Add(live);
        return new KeyCall([.. call.Writes.Where(write => write.Key == key).Select(write => (write.Value, write.IfVersion))], seen.Count == 0 ? null : seen[0]);
    }

    private void Add(AgentName agent, AgentCall call, long invokedAt, long endedAt, long hint, IReadOnlyList<RecordedCall> source)
    {
        if (!_agents.TryGetValue(agent, out List<TimedCall<AgentCall>>? calls))
            _agents.Add(agent, calls = []);
        calls.Add(new TimedCall<AgentCall>(call, invokedAt, endedAt, false, hint, Sources.Count));
        Sources.Add(source);
    }

    private AgentCall Write(Attempt attempt, Share share)
    {
        RecordedCall? answered = attempt.Calls.Find(call => call.Result.Outcome == Outcome.Ok);
        Receipt? receipt = answered is null ? null : Attempt.ReceiptsOf(answered).FirstOrDefault(receipt => receipt.Agent == share.Agent);
        // Repeats may carry other conditions than the request that took effect: only a request without repeats is held to its own.
        bool isOne = attempt.Calls.Count == 1;
        return new AgentCall(
            [.. share.Writes.Select(write => (write.Key, Value(write.Value), isOne ? write.IfVersion : null))],
            isOne ? share.IfAgentVersion : null, receipt?.Version ?? 0, ReadsOf(attempt.Calls[0], share.Agent), null);
    }

    private AgentCall Read(Placement read) => read.Call switch
    {
        { Call: ReadCall call, Result.Answer: ReadAnswer answer } =>
            new AgentCall([], null, answer.AgentVersion, [(call.Key, State(answer))], null),
        { Call: ScanCall call, Result.Answer: ScanAnswer answer } =>
            new AgentCall([], null, answer.AgentVersion, [], (call.Prefix, answer.Items.ToDictionary(item => item.Key, item => new KeyState(item.KeyVersion, Value(item.Value)), StringComparer.Ordinal))),
        _ => new AgentCall([], null, 0, ReadsOf(read.Call, read.Agent.Agent), null),
    };

    private List<(string Key, KeyState State)> ReadsOf(RecordedCall call, AgentName agent) =>
        call is { Call: TransactionCall transaction, Result.Answer: TransactionAnswer answer }
            ? [.. transaction.Reads.Zip(answer.Reads).Where(pair => pair.First.Agent == agent).Select(pair => (pair.First.Key, State(pair.Second)))]
            : [];

    private KeyState State(ReadAnswer answer) => new(answer.KeyVersion, Value(answer.Value));

    private string? Value(string? json)
    {
        if (json is null || !_isByMeaning)
            return json;
        return _canonical.TryGetValue(json, out string? known) ? known : _canonical[json] = JsonTexts.Canonical(json);
    }

    private static long Hint(Attempt attempt, AgentName agent) =>
        attempt.Landed?.Parts.Find(part => part.Agent == agent).Commit is { } commit ? 2 * commit.Version : long.MaxValue;
}
