using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Tests.Checker;

/// <summary>A run of many clients on a store that makes no mistakes: calls overlap, some outcomes stay unknown, some calls are refused.</summary>
internal sealed class SimulatedRun(int seed, int agents, int keys, int overlap, bool hasGrpc = true)
{
    private readonly FakeStore _store = new();
    private readonly Random _random = new(seed);
    private long _token;

    public FakeStore Store => _store;

    public RunEvidence Run(int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            RecordedCall call = Step();
            // It takes effect at (i + 1) × 10, somewhere between its invocation and its end.
            long at = (i + 1) * 10L;
            _store.Calls[^1] = call with { InvokedAt = at - _random.Next(overlap), EndedAt = at + _random.Next(overlap), Client = _random.Next(16) };
        }
        return _store.Evidence;
    }

    public static AgentName Agent(int number) => new("faults", $"agent-{number}");

    private RecordedCall Step()
    {
        AgentName agent = Agent(_random.Next(agents));
        string key = $"k{_random.Next(keys)}";
        string protocol = hasGrpc && _random.Next(3) == 0 ? "grpc" : "http";
        return _random.Next(20) switch
        {
            < 7 => _store.Read(agent, key, protocol: protocol),
            // Of a version that was there already when the earliest moment of this call may come.
            7 when _store.Version(agent) > 0 => _store.Read(agent, key, atVersion: (_store.Version(agent) + 1) / 2),
            8 => _store.Scan(agent, protocol: protocol),
            9 => _store.Unknown(landed: _random.Next(2) == 0, Share(agent)),
            10 => _store.Unknown(landed: _random.Next(2) == 0, Share(agent), Share(Other(agent))),
            11 => _store.Refused(new Share(agent, [new Write(key, Value(), 1_000_000)])),
            12 => _store.Commit(Share(agent), Share(Other(agent))),
            13 => Keyed(agent),
            14 => _store.Transaction([(agent, key)], Share(agent)),
            15 => _store.Transaction([(agent, key), (Other(agent), key)]),
            16 => _store.Commit(Share(agent) with { IfAgentVersion = _store.Version(agent) }),
            _ => _store.Commit(Share(agent)),
        };
    }

    private RecordedCall Keyed(AgentName agent)
    {
        string key = $"once-{++_token}";
        Share share = Share(agent);
        RecordedCall first = _store.Keyed(key, share);
        if (_random.Next(2) == 0)
            return first;
        // The reply of the first attempt is lost, and it is repeated.
        _store.Calls[^1] = first with { Result = new CallResult(Outcome.Unknown, null, "reset") };
        return _store.Keyed(key, share);
    }

    private AgentName Other(AgentName agent) => agent == Agent(0) ? Agent(agents - 1) : Agent(0);

    private Share Share(AgentName agent) => new(agent, [.. Enumerable.Range(0, _random.Next(1, 3)).Select(_ => new Write($"k{_random.Next(keys)}", _random.Next(6) == 0 ? null : Value()))]);

    private string Value() => $$"""{"token":{{++_token}}}""";
}
