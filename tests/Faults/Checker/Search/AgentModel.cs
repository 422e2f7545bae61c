using System.Collections.Immutable;

namespace Statehouse.Faults.Checker.Search;

/// <summary>An agent as a map of keys. Two are equal where version and fingerprint are: 128 bits over all keys, versions and values.</summary>
public sealed class AgentState : IEquatable<AgentState>
{
    public static readonly AgentState Empty = new(0, ImmutableSortedDictionary.Create<string, KeyState>(StringComparer.Ordinal), 0);

    private readonly UInt128 _fingerprint;

    private AgentState(long version, ImmutableSortedDictionary<string, KeyState> keys, UInt128 fingerprint)
    {
        Version = version;
        Keys = keys;
        _fingerprint = fingerprint;
    }

    public long Version { get; }

    /// <summary>With tombstones.</summary>
    public ImmutableSortedDictionary<string, KeyState> Keys { get; }

    public KeyState this[string key] => Keys.GetValueOrDefault(key);

    public AgentState With(string key, KeyState state) =>
        new(Version, Keys.SetItem(key, state), _fingerprint ^ Bits(key, this[key]) ^ Bits(key, state));

    public AgentState NextVersion() => new(Version + 1, Keys, _fingerprint);

    public bool Equals(AgentState? other) => other is not null && Version == other.Version && _fingerprint == other._fingerprint;

    public override bool Equals(object? obj) => Equals(obj as AgentState);

    public override int GetHashCode() => HashCode.Combine(Version, _fingerprint);

    private static UInt128 Bits(string key, KeyState state) =>
        state.Version == 0 ? 0 : new UInt128(Hash(14695981039346656037, key, state), Hash(1099511628211 * 31, key, state));

    // FNV-1a over length and characters of each part, from two starting points, then mixed so that they differ in all bits.
    private static ulong Hash(ulong start, string key, KeyState state)
    {
        ulong hash = Text(Text(start, key), state.Value ?? "") ^ (ulong)state.Version ^ (state.Value is null ? 0x9E3779B97F4A7C15 : 0);
        hash = (hash ^ (hash >> 31)) * 0xBF58476D1CE4E5B9;
        return (hash ^ (hash >> 29)) * (start | 1);
    }

    private static ulong Text(ulong hash, string text)
    {
        hash = (hash ^ (ulong)text.Length) * 1099511628211;
        foreach (char character in text)
            hash = (hash ^ character) * 1099511628211;
        return hash;
    }
}

/// <summary>What a call did to an agent, or saw of it.</summary>
/// <param name="Writes">In order; empty for a read or scan.</param>
/// <param name="IfAgentVersion">Only at this version; null = at any.</param>
/// <param name="Told">The version that a receipt or an answer told: after the writes; 0 = none.</param>
/// <param name="Seen">What it must find under some keys.</param>
/// <param name="Scanned">What it must find under all live keys with the prefix; null = it was no scan.</param>
public sealed record AgentCall(
    IReadOnlyList<(string Key, string? Value, long? IfVersion)> Writes, long? IfAgentVersion, long Told,
    IReadOnlyList<(string Key, KeyState State)> Seen, (string Prefix, IReadOnlyDictionary<string, KeyState> Live)? Scanned);

/// <summary>One agent: commits of several operations, reads, scans, conditions on key versions and on the agent's version.</summary>
public sealed class AgentModel : IModel<AgentState, AgentCall>
{
    public AgentState Initial => AgentState.Empty;

    public bool TryApply(AgentState state, AgentCall call, out AgentState next)
    {
        next = state;
        if (call.Writes.Count > 0)
            next = next.NextVersion();
        if ((call.IfAgentVersion is { } version && version != state.Version) || (call.Told != 0 && call.Told != next.Version))
            return false;
        if (call.Seen.Any(seen => state[seen.Key] != seen.State) || !IsScan(state, call))
            return false;
        foreach ((string key, string? value, long? ifVersion) in call.Writes)
        {
            long before = next[key].Version;
            if (ifVersion is { } expected && expected != before)
                return false;
            next = next.With(key, new KeyState(before + 1, value));
        }
        return true;
    }

    public bool MayStillApply(AgentState state, AgentCall call) =>
        (call.Told == 0 || call.Told >= state.Version + (call.Writes.Count > 0 ? 1 : 0)) && call.Seen.All(seen => seen.State.Version >= state[seen.Key].Version);

    public AgentCall? Forget(AgentCall call) => call.Writes.Count == 0 ? null : call with { Told = 0 };

    public bool TryObserve(AgentCall call, out AgentState state)
    {
        // A scan shows no tombstones, and their versions count.
        state = AgentState.Empty;
        return false;
    }

    private static bool IsScan(AgentState state, AgentCall call)
    {
        if (call.Scanned is not { } scan)
            return true;
        int live = 0;
        foreach ((string key, KeyState found) in state.Keys)
        {
            if (found.Value is null || !key.StartsWith(scan.Prefix, StringComparison.Ordinal))
                continue;
            live++;
            if (!scan.Live.TryGetValue(key, out KeyState shown) || shown != found)
                return false;
        }
        return live == scan.Live.Count;
    }
}
