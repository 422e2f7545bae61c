namespace Statehouse.Faults.Checker.Search;

/// <param name="Version">Key version; 0 = was never written.</param>
/// <param name="Value">Null = does not exist.</param>
public readonly record struct KeyState(long Version, string? Value);

/// <summary>What a call did to one key, or saw of it.</summary>
/// <param name="Writes">What it puts (null = delete), in order, each under its condition on the key version (null = none); empty for a read.</param>
/// <param name="Seen">What it must find: a read's answer, or what a transaction had read; null = nothing.</param>
public sealed record KeyCall(IReadOnlyList<(string? Value, long? IfVersion)> Writes, KeyState? Seen);

/// <summary>One key: a register with a version that counts its operations, and compare-and-set by that version.</summary>
public sealed class KeyModel : IModel<KeyState, KeyCall>
{
    public KeyState Initial => new(0, null);

    public bool TryApply(KeyState state, KeyCall call, out KeyState next)
    {
        next = state;
        if (call.Seen is { } seen && seen != state)
            return false;
        foreach ((string? value, long? ifVersion) in call.Writes)
        {
            if (ifVersion is { } version && version != next.Version)
                return false;
            next = new KeyState(next.Version + 1, value);
        }
        return true;
    }

    public bool MayStillApply(KeyState state, KeyCall call) => call.Seen is not { } seen || seen.Version >= state.Version;

    public KeyCall? Forget(KeyCall call) => call.Writes.Count == 0 ? null : call;

    public bool TryObserve(KeyCall call, out KeyState state)
    {
        state = call.Seen ?? default;
        return call.Seen is not null && call.Writes.Count == 0;
    }
}
