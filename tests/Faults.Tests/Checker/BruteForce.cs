using Statehouse.Faults.Checker.Search;

namespace Statehouse.Faults.Tests.Checker;

/// <summary>Tries every order of a few calls: slow, and too simple to be wrong.</summary>
internal static class BruteForce
{
    public static bool IsLinearizable<TState, TCall>(IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls) where TState : IEquatable<TState> =>
        Any(model, model.Initial, [.. calls]);

    private static bool Any<TState, TCall>(IModel<TState, TCall> model, TState state, List<TimedCall<TCall>> left) where TState : IEquatable<TState>
    {
        if (left.TrueForAll(call => call.IsOptional))
            return true;
        foreach (TimedCall<TCall> next in left)
        {
            bool mayBeNext = left.TrueForAll(other => other.IsOptional || other.EndedAt >= next.InvokedAt);
            if (mayBeNext && model.TryApply(state, next.Call, out TState then) && Any(model, then, left.FindAll(call => call != next)))
                return true;
        }
        return false;
    }
}
