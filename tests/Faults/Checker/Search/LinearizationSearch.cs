namespace Statehouse.Faults.Checker.Search;

public enum SearchAnswer
{
    /// <summary>There is an order of the calls that explains every answer and agrees with real time.</summary>
    Linearizable,

    /// <summary>There is none: every one was tried.</summary>
    NotLinearizable,

    /// <summary>The bound was reached first.</summary>
    Undecided,
}

/// <param name="Answer">What was found.</param>
/// <param name="Steps">Calls that were tried.</param>
/// <param name="BlockedAt">Where there is no order: no order gets beyond the end of a call at this time.</param>
public readonly record struct SearchResult(SearchAnswer Answer, long Steps, long BlockedAt);

/// <summary>
/// Searches an order of calls that a sequential model allows and that keeps real time: Wing and Gong's search as Lowe improved it,
/// over a list of invocations and ends, remembering which sets of calls with which state were reached. No recursion, so a history may be long.
/// </summary>
/// <remarks>
/// A set of calls is remembered as the exclusive or of 128 random bits per call. Two sets that collide could only make the
/// search give an order up, so report a history that is fine; with 2^32 sets the odds are below 2^-64.
/// </remarks>
public sealed class LinearizationSearch<TState, TCall> where TState : IEquatable<TState>
{
    private readonly IModel<TState, TCall> _model;
    private readonly IReadOnlyList<TimedCall<TCall>> _calls;
    private readonly UInt128[] _bits;

    // A read that fits now may as well come now: it changes nothing for the others. So no other place is tried for it.
    private readonly bool[] _isRead;

    // The list: entries 0..n-1 are invocations, n..2n-1 the ends of the same calls, 2n is its head.
    private readonly int[] _next;
    private readonly int[] _previous;
    private readonly HashSet<(UInt128 Calls, TState State)> _reached = [];
    private readonly Stack<(int Call, TState Before)> _order = new();

    private LinearizationSearch(IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls)
    {
        _model = model;
        _calls = calls;
        var random = new Random(calls.Count);
        _bits = [.. calls.Select(_ => new UInt128((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue)))];
        _isRead = [.. calls.Select(call => model.Forget(call.Call) is null)];
        _next = new int[(2 * calls.Count) + 1];
        _previous = new int[_next.Length];
        Link();
    }

    private int Head => 2 * _calls.Count;

    /// <param name="model">What the object does.</param>
    /// <param name="calls">In any order.</param>
    /// <param name="initial">The state that the calls find.</param>
    /// <param name="stepsMax">Gives up after so many tried calls.</param>
    public static SearchResult Run(IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, TState initial, long stepsMax) =>
        new LinearizationSearch<TState, TCall>(model, calls).Run(initial, stepsMax);

    private SearchResult Run(TState state, long stepsMax)
    {
        // One that can no longer fit, whatever comes before it, needs no search.
        if (_calls.FirstOrDefault(call => !call.IsOptional && !_model.MayStillApply(state, call.Call)) is { } hopeless)
            return new SearchResult(SearchAnswer.NotLinearizable, 0, hopeless.EndedAt);
        UInt128 set = 0;
        long steps = 0, blockedAt = long.MinValue;
        int tried = -1;
        while (true)
        {
            (int call, int blocking) = NextCandidate(tried);
            if (blocking < 0)
                return new SearchResult(SearchAnswer.Linearizable, steps, 0);
            if (call < 0 || (tried < 0 && !_model.MayStillApply(state, _calls[blocking].Call)))
            {
                blockedAt = Math.Max(blockedAt, _calls[blocking].EndedAt);
                do
                {
                    if (_order.Count == 0)
                        return new SearchResult(SearchAnswer.NotLinearizable, steps, blockedAt);
                    (tried, state) = _order.Pop();
                    Unlift(tried);
                    set ^= _bits[tried];
                }
                while (_isRead[tried]);
                continue;
            }
            if (++steps > stepsMax)
                return new SearchResult(SearchAnswer.Undecided, steps, blockedAt);
            tried = call;
            if (!_model.TryApply(state, _calls[call].Call, out TState next) || !_reached.Add((set ^ _bits[call], next)))
                continue;
            _order.Push((call, state));
            Lift(call);
            (state, set, tried) = (next, set ^ _bits[call], -1);
        }
    }

    /// <summary>
    /// Of the calls that may come next (those invoked before the first end that is still ahead), the one that follows a tried one in the
    /// order of hints; -1 = none is left. And the call whose end that is; -1 = all that had to take effect did.
    /// </summary>
    private (int Call, int Blocking) NextCandidate(int tried)
    {
        int best = -1;
        int entry = _next[Head];
        for (; entry < _calls.Count; entry = _next[entry])
        {
            if ((tried < 0 || IsBefore(tried, entry)) && (best < 0 || IsBefore(entry, best)))
                best = entry;
        }
        return (best, entry == Head ? -1 : entry - _calls.Count);
    }

    private bool IsBefore(int one, int other) =>
        _calls[one].Hint != _calls[other].Hint ? _calls[one].Hint < _calls[other].Hint : one < other;

    private void Link()
    {
        // Where a call ends at the moment at which another is invoked they may come in either order: invocations first.
        IEnumerable<(long At, int Entry)> entries = Enumerable.Range(0, _calls.Count).Select(i => (_calls[i].InvokedAt, i))
            .Concat(Enumerable.Range(0, _calls.Count).Where(i => !_calls[i].IsOptional).Select(i => (_calls[i].EndedAt, i + _calls.Count)));
        int last = Head;
        foreach ((_, int entry) in entries.OrderBy(entry => entry.At).ThenBy(entry => entry.Entry))
        {
            (_next[last], _previous[entry]) = (entry, last);
            last = entry;
        }
        (_next[last], _previous[Head]) = (Head, last);
    }

    private void Lift(int call)
    {
        Remove(call);
        if (!_calls[call].IsOptional)
            Remove(call + _calls.Count);
    }

    private void Unlift(int call)
    {
        if (!_calls[call].IsOptional)
            Restore(call + _calls.Count);
        Restore(call);
    }

    private void Remove(int entry) => (_next[_previous[entry]], _previous[_next[entry]]) = (_next[entry], _previous[entry]);

    private void Restore(int entry) => (_next[_previous[entry]], _previous[_next[entry]]) = (entry, entry);
}
