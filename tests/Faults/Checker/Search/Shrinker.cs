namespace Statehouse.Faults.Checker.Search;

/// <summary>
/// Makes a history that has no linearization small: the fewest calls that contradict each other whatever became of the others. A read is
/// left out; a write is forgotten, which means it may have taken effect at any time after its invocation or never. Both only allow more,
/// so what is left still has no linearization. A long history is first cut: it starts at a read that told the whole state, which stays, and
/// what had ended before that read is taken to be in what it told.
/// </summary>
public static class Shrinker
{
    private const int ObservationsMax = 10;
    private const int CallsMax = 1_000;
    private const int ShortCalls = 100;

    /// <param name="model">What the object does.</param>
    /// <param name="calls">A history that was found to have no linearization.</param>
    /// <param name="blockedAt">Where the search of it was blocked.</param>
    /// <param name="stepsMax">Bound of each search; a smaller history that it cannot decide is not taken.</param>
    /// <returns>The calls that had to stay as they are. Not always the fewest: bounds may end it early.</returns>
    public static IReadOnlyList<TimedCall<TCall>> Shrink<TState, TCall>(
        IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, long blockedAt, long stepsMax) where TState : IEquatable<TState>
    {
        IReadOnlyList<TimedCall<TCall>> kept = CutAfter(model, calls, blockedAt);
        (TState initial, int fixedCount) = (model.Initial, 0);
        if (kept.Count > ShortCalls && FromAnObservation(model, kept, stepsMax) is { } cut)
            (kept, initial, fixedCount) = (cut.Calls, cut.Initial, 1);
        if (kept.Count <= CallsMax)
            kept = Forget(model, kept, initial, fixedCount, stepsMax);
        List<TimedCall<TCall>> told = [.. kept.Where(call => !call.IsOptional)];
        return told.Count > 0 ? told : kept;
    }

    /// <summary>What was invoked later has no part in it, and what ended later need not have taken effect yet.</summary>
    private static IReadOnlyList<TimedCall<TCall>> CutAfter<TState, TCall>(
        IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, long blockedAt) where TState : IEquatable<TState> =>
        [.. from call in calls
            where call.EndedAt <= blockedAt || (call.InvokedAt <= blockedAt && model.Forget(call.Call) is not null)
            select call.EndedAt > blockedAt ? call with { IsOptional = true } : call];

    /// <summary>
    /// Starts at the last read that tells the whole state and still leaves a contradiction: what ended before it was invoked came before
    /// it and is in that state; what overlaps it may be in it or not.
    /// </summary>
    /// <returns>That read first; null where there is none.</returns>
    private static (IReadOnlyList<TimedCall<TCall>> Calls, TState Initial)? FromAnObservation<TState, TCall>(
        IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, long stepsMax) where TState : IEquatable<TState>
    {
        int tries = 0;
        foreach (TimedCall<TCall> start in calls.Where(call => !call.IsOptional).OrderByDescending(call => call.InvokedAt))
        {
            if (!model.TryObserve(start.Call, out TState state))
                continue;
            List<TimedCall<TCall>> rest = [start];
            foreach (TimedCall<TCall> call in calls.Where(call => call != start && call.EndedAt >= start.InvokedAt))
            {
                if (call.InvokedAt > start.EndedAt)
                    rest.Add(call);
                else if (model.Forget(call.Call) is { } forgotten)
                    rest.Add(call with { Call = forgotten, IsOptional = true, EndedAt = long.MaxValue });
            }
            if (IsBroken(model, rest, state, stepsMax))
                return (rest, state);
            if (++tries == ObservationsMax)
                break;
        }
        return null;
    }

    /// <summary>Delta debugging: forgets halves, then quarters, then single calls, as long as a contradiction is left.</summary>
    private static IReadOnlyList<TimedCall<TCall>> Forget<TState, TCall>(
        IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, TState initial, int fixedCount, long stepsMax) where TState : IEquatable<TState>
    {
        for (int size = Math.Max(1, calls.Count / 2); ; size = Math.Max(1, size / 2))
        {
            bool isSmaller = false;
            for (int from = fixedCount; from < calls.Count; from += size)
            {
                IReadOnlyList<TimedCall<TCall>> fewer = Without(model, calls, from, size);
                if (fewer.Count(call => !call.IsOptional) < calls.Count(call => !call.IsOptional) && IsBroken(model, fewer, initial, stepsMax))
                {
                    isSmaller = true;
                    from -= calls.Count - fewer.Count;
                    calls = fewer;
                }
            }
            if (size == 1 && !isSmaller)
                return calls;
        }
    }

    private static IReadOnlyList<TimedCall<TCall>> Without<TState, TCall>(
        IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, int from, int size) where TState : IEquatable<TState>
    {
        var left = new List<TimedCall<TCall>>(calls.Count);
        for (int i = 0; i < calls.Count; i++)
        {
            TimedCall<TCall> call = calls[i];
            if (i < from || i >= from + size)
                left.Add(call);
            else if (model.Forget(call.Call) is { } forgotten)
                left.Add(call with { Call = forgotten, IsOptional = true, EndedAt = long.MaxValue });
        }
        return left;
    }

    private static bool IsBroken<TState, TCall>(
        IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, TState initial, long stepsMax) where TState : IEquatable<TState> =>
        LinearizationSearch<TState, TCall>.Run(model, calls, initial, stepsMax).Answer == SearchAnswer.NotLinearizable;
}
