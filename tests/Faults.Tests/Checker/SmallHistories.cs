using Statehouse.Faults.Checker.Search;

namespace Statehouse.Faults.Tests.Checker;

/// <summary>Histories of up to seven calls: made by an object that is right, with overlaps and unknown outcomes, then often bent in one answer.</summary>
internal static class SmallHistories
{
    private const int CallsMax = 7;
    private const int OverlapMax = 25;

    public static IReadOnlyList<TimedCall<KeyCall>> Key(Random random)
    {
        var calls = new List<TimedCall<KeyCall>>();
        var state = new KeyState(0, null);
        int count = random.Next(2, CallsMax + 1);
        for (int i = 0; i < count; i++)
        {
            bool isWrite = random.Next(2) == 0;
            KeyCall call = isWrite
                ? new KeyCall([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => (random.Next(4) == 0 ? null : $"{random.Next(3)}", (long?)null))], null)
                : new KeyCall([], state);
            if (isWrite && random.Next(3) == 0)
                call = call with { Writes = [(call.Writes[0].Value, state.Version)] };
            bool takesEffect = Add(calls, random, i, call, isWrite);
            if (takesEffect)
                new KeyModel().TryApply(state, call, out state);
        }
        if (random.Next(4) > 0)
            Bend(random, calls, call => call.Writes.Count == 0, call => call with { Seen = new KeyState(Math.Max(0, call.Seen!.Value.Version + random.Next(-1, 2)), random.Next(2) == 0 ? call.Seen.Value.Value : $"{random.Next(3)}") });
        return calls;
    }

    public static IReadOnlyList<TimedCall<AgentCall>> Agent(Random random)
    {
        var calls = new List<TimedCall<AgentCall>>();
        AgentState state = AgentState.Empty;
        int count = random.Next(2, CallsMax + 1);
        for (int i = 0; i < count; i++)
        {
            AgentCall call = random.Next(4) switch
            {
                0 => new AgentCall([], null, random.Next(2) == 0 ? state.Version : 0, [("x", state["x"])], null),
                1 => new AgentCall([], null, random.Next(2) == 0 ? state.Version : 0, [], ("", Live(state))),
                _ => new AgentCall([("x", $"{random.Next(3)}", null), ("y", random.Next(3) == 0 ? null : "1", null)], random.Next(3) == 0 ? state.Version : null, 0, [], null),
            };
            bool isWrite = call.Writes.Count > 0;
            if (isWrite && random.Next(2) == 0)
                call = call with { Writes = [call.Writes[random.Next(2)]] };
            if (Add(calls, random, i, call, isWrite))
                new AgentModel().TryApply(state, call, out state);
        }
        if (random.Next(4) > 0)
            Bend(random, calls, call => call.Seen.Count > 0, call => call with { Seen = [("x", new KeyState(Math.Max(0, call.Seen[0].State.Version + random.Next(-1, 2)), $"{random.Next(3)}"))] });
        if (random.Next(4) == 0)
            Bend(random, calls, call => call.Told > 0, call => call with { Told = call.Told + random.Next(-1, 2) });
        return calls;
    }

    private static Dictionary<string, KeyState> Live(AgentState state) =>
        state.Keys.Where(pair => pair.Value.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    private static bool Add<TCall>(List<TimedCall<TCall>> calls, Random random, int place, TCall call, bool isWrite)
    {
        long at = (place + 1) * 10;
        bool isUnknown = isWrite && random.Next(4) == 0;
        calls.Add(new TimedCall<TCall>(call, at - random.Next(OverlapMax), isUnknown ? long.MaxValue : at + random.Next(OverlapMax), isUnknown, random.Next(3) == 0 ? long.MaxValue : place, place));
        return !isUnknown || random.Next(2) == 0;
    }

    private static void Bend<TCall>(Random random, List<TimedCall<TCall>> calls, Predicate<TCall> can, Func<TCall, TCall> how)
    {
        int i = calls.FindIndex(random.Next(calls.Count), call => can(call.Call));
        if (i >= 0)
            calls[i] = calls[i] with { Call = how(calls[i].Call) };
    }
}
