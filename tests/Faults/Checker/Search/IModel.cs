namespace Statehouse.Faults.Checker.Search;

/// <summary>A sequential object: what it answers when its calls come one after the other.</summary>
/// <typeparam name="TState">Compared by value; a small immutable value or reference.</typeparam>
/// <typeparam name="TCall">A call with its answer, where it was answered.</typeparam>
public interface IModel<TState, TCall> where TState : IEquatable<TState>
{
    /// <summary>Nothing was written yet.</summary>
    TState Initial { get; }

    /// <summary>Lets a call take effect.</summary>
    /// <returns>False where in this state the call cannot take effect, or not with the answer that it got.</returns>
    bool TryApply(TState state, TCall call, out TState next);

    /// <summary>Whether a call may still take effect in this state or one that follows; true where that is not known. Saves tries, changes no result.</summary>
    bool MayStillApply(TState state, TCall call) => true;

    /// <summary>The call as if its client had heard nothing: it may take effect, or not. Null where that says nothing (a read).</summary>
    TCall? Forget(TCall call);

    /// <summary>The state just when a call took effect, where its answer tells all of it.</summary>
    bool TryObserve(TCall call, out TState state);
}

/// <summary>A call in time.</summary>
/// <param name="Call">What the model knows of it.</param>
/// <param name="InvokedAt">It takes effect after this; any unit.</param>
/// <param name="EndedAt">It takes effect before this; <see cref="long.MaxValue"/> = at any time.</param>
/// <param name="IsOptional">It may also never take effect.</param>
/// <param name="Hint">Where it belongs among the others as far as is known: tried in this order. It decides how long the search takes, never what it finds.</param>
/// <param name="Source">Which recorded calls it stands for: an index of the caller's.</param>
public sealed record TimedCall<TCall>(TCall Call, long InvokedAt, long EndedAt, bool IsOptional, long Hint, int Source);
