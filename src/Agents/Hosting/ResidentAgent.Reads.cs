using System.Collections.Immutable;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <content>Reading states and history.</content>
public sealed partial class ResidentAgent
{
    // A page ends early behind the commit that fills it: a thousand of the largest would be 8 GiB in memory.
    private const long HistoryPageBytesMax = 8 * 1024 * 1024;

    public async ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken)
    {
        AgentState state = await LatestAsync(consistency, cancellationToken).ConfigureAwait(false);
        if (state.Version == AgentVersion.None)
            throw NoSuchAgent();
        JournalHead? head = await _hosting.Store.ReadHeadAsync(_handle, cancellationToken).ConfigureAwait(false);
        return new AgentHead(
            state.Version, state.Stamp.CommitTs, state.Stamp.Time, state.Hash, state.LiveKeyCount, state.Bytes,
            head?.FirstVersion ?? AgentVersion.None.Next);
    }

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken)
    {
        // The common read ends here, without a task: latest state, in memory.
        if (request.At.Kind == ReadPointKind.Latest && request.Consistency == Consistency.Default && TryGetConfirmed() is { } state)
            return new ValueTask<KeyState>(ToKeyState(state, request.Key));
        return request.At.Kind == ReadPointKind.KeyVersion
            ? GetKeyVersionAsync(request.Key, new KeyVersion(request.At.Value), cancellationToken)
            : GetAtAsync(request, cancellationToken);
    }

    public async ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken)
    {
        if (request.At.Kind == ReadPointKind.KeyVersion)
            throw RefusedException.Invalid("key_version", "used for one key only", "used for a scan");
        AgentState state = await StateAtAsync(request.At, request.Consistency, cancellationToken).ConfigureAwait(false);
        bool inclusive = request.After.Length == 0 || request.After.CompareTo(request.Prefix) < 0;
        ImmutableArray<KeyState>.Builder items = ImmutableArray.CreateBuilder<KeyState>();
        bool hasMore = false;
        foreach (KeyEntry entry in state.Keys.From(inclusive ? request.Prefix : request.After, inclusive))
        {
            if (!entry.Key.StartsWith(request.Prefix))
                break;
            if (!entry.IsLive)
                continue;
            hasMore = items.Count == request.Limit;
            if (hasMore)
                break;
            items.Add(ToKeyState(entry, state.Version, request.KeysOnly));
        }
        // The next page will ask for this very version, and the agent may have moved on by then.
        if (hasMore)
            _hosting.RecentStates.Keep(state, _handle.StoreKey);
        return new ScanPage(state.Version, items.DrainToImmutable(), hasMore);
    }

    public async ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken)
    {
        AgentState state = await ConfirmedAsync(cancellationToken).ConfigureAwait(false);
        if (state.Version == AgentVersion.None)
            throw NoSuchAgent();
        AgentVersion from = request.From < AgentVersion.None.Next ? AgentVersion.None.Next : request.From;
        AgentVersion to = request.To is { } asked && asked < state.Version ? asked : state.Version;
        if (from > to)
            return new HistoryPage([], HasMore: false);

        bool hasMore = to.Value - from.Value >= request.Limit;
        if (hasMore && request.NewestFirst)
            from = new AgentVersion(to.Value - request.Limit + 1);
        else if (hasMore)
            to = new AgentVersion(from.Value + request.Limit - 1);
        ImmutableArray<JournalCommit>.Builder commits = ImmutableArray.CreateBuilder<JournalCommit>((int)(to.Value - from.Value + 1));
        IAsyncEnumerable<JournalCommit> range = request.NewestFirst
            ? _hosting.Store.ReadBackwardAsync(_handle, from, to, cancellationToken)
            : _hosting.Store.ReadForwardAsync(_handle, from, to, cancellationToken);
        long bytes = 0;
        await foreach (JournalCommit commit in range.ConfigureAwait(false))
        {
            commits.Add(commit);
            bytes += commit.Bytes;
            if (bytes >= HistoryPageBytesMax)
                break;
        }
        hasMore |= commits.Count > 0 && commits[^1].Version != (request.NewestFirst ? from : to);
        return new HistoryPage(commits.DrainToImmutable(), hasMore);
    }

    public async ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken)
    {
        AgentState state = await ConfirmedAsync(cancellationToken).ConfigureAwait(false);
        if (state.Version == AgentVersion.None)
            throw NoSuchAgent();
        if (version >= AgentVersion.None.Next && version <= state.Version)
        {
            await foreach (JournalCommit commit in _hosting.Store.ReadForwardAsync(_handle, version, version, cancellationToken).ConfigureAwait(false))
                return commit;
        }
        throw RefusedException.NotFound($"version {version} of agent {Agent} (it is at {state.Version})");
    }

    /// <summary>The commits whose commit_ts lies in an inclusive range, up to what is shown now.</summary>
    public async IAsyncEnumerable<JournalCommit> ReplayRangeAsync(
        CommitTs from, CommitTs to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        AgentState state = await ConfirmedAsync(cancellationToken).ConfigureAwait(false);
        await foreach (JournalCommit commit in StoreReads.ReplayRangeAsync(
            _hosting.Store, _handle, state.Version, state.Stamp.CommitTs, from, to, cancellationToken).ConfigureAwait(false))
        {
            yield return commit;
        }
    }

    /// <summary>The commit of a transaction among those after a version, up to what is shown now; null = none.</summary>
    public async Task<JournalCommit?> FindTransactionAsync(AgentVersion afterExclusive, Guid txnId, CancellationToken cancellationToken)
    {
        AgentState state = await ConfirmedAsync(cancellationToken).ConfigureAwait(false);
        if (afterExclusive >= state.Version)
            return null;
        await foreach (JournalCommit commit in _hosting.Store.ReadForwardAsync(_handle, afterExclusive.Next, state.Version, cancellationToken).ConfigureAwait(false))
        {
            if (commit.TxnId == txnId)
                return commit;
        }
        return null;
    }

    private ValueTask<AgentState> LatestAsync(Consistency consistency, CancellationToken cancellationToken) =>
        consistency == Consistency.Strong
            ? new ValueTask<AgentState>(RefreshAsync(cancellationToken))
            : ConfirmedAsync(cancellationToken);

    private async ValueTask<KeyState> GetAtAsync(GetRequest request, CancellationToken cancellationToken) =>
        ToKeyState(await StateAtAsync(request.At, request.Consistency, cancellationToken).ConfigureAwait(false), request.Key);

    private async ValueTask<AgentState> StateAtAsync(ReadPoint at, Consistency consistency, CancellationToken cancellationToken)
    {
        AgentState latest = await LatestAsync(consistency, cancellationToken).ConfigureAwait(false);
        if (at.Kind == ReadPointKind.Latest)
            return latest;
        AgentVersion version = await VersionAtAsync(at, latest, cancellationToken).ConfigureAwait(false);
        if (version == latest.Version)
            return latest;
        if (version == AgentVersion.None)
            return AgentState.Empty(Agent);
        // Taken before anything is read: what is loaded while the agent is removed may be of the next one of its name.
        long storeKey = _handle.StoreKey;
        if (_hosting.RecentStates.Find(Agent, storeKey, version) is { } recent)
            return recent;
        LoadedState loaded = await _hosting.Loader.LoadAsync(_handle, version, cancellationToken).ConfigureAwait(false);
        if (_handle.StoreKey == storeKey)
            _hosting.RecentStates.Keep(loaded.State, storeKey);
        return loaded.State;
    }

    private async ValueTask<AgentVersion> VersionAtAsync(ReadPoint at, AgentState latest, CancellationToken cancellationToken)
    {
        AgentVersion found;
        switch (at.Kind)
        {
            case ReadPointKind.AgentVersion:
                if (at.Value < 0 || at.Value > latest.Version.Value)
                    throw RefusedException.NotFound($"version {at.Value} of agent {Agent} (it is at {latest.Version})");
                return new AgentVersion(at.Value);
            case ReadPointKind.Time:
                var time = new CommitTime(at.Value);
                CommitTime now = CommitTime.From(_hosting.Clock.GetUtcNow());
                if (time > now && time > latest.Stamp.Time)
                    throw RefusedException.Invalid("at", $"not in the future (it is {now} now)", time.ToString());
                if (time >= latest.Stamp.Time)
                    return latest.Version;
                found = await _hosting.Store.FindVersionAtTimeAsync(_handle, time, cancellationToken).ConfigureAwait(false);
                break;
            default:
                if (at.Value >= latest.Stamp.CommitTs.Value)
                    return latest.Version;
                found = await _hosting.Store.FindVersionAtTsAsync(_handle, new CommitTs(at.Value), cancellationToken).ConfigureAwait(false);
                break;
        }
        return found > latest.Version ? latest.Version : found;
    }

    /// <summary>
    /// One version of one key. Key versions grow along the journal, so the snapshots are searched for the stretch that
    /// made it, and only that stretch is read.
    /// </summary>
    private async ValueTask<KeyState> GetKeyVersionAsync(Key key, KeyVersion wanted, CancellationToken cancellationToken)
    {
        AgentState latest = await ConfirmedAsync(cancellationToken).ConfigureAwait(false);
        KeyEntry? entry = latest.Keys.Find(key);
        if (entry is null || wanted.Value < 1 || wanted.CompareTo(entry.Version) > 0)
            return NeverWritten(key, latest.Version);
        if (wanted == entry.Version)
            return ToKeyState(entry, latest.Version, keysOnly: false);

        (AgentVersion from, AgentVersion to) = await StretchOfAsync(key, wanted, latest, cancellationToken).ConfigureAwait(false);
        await foreach (JournalCommit commit in _hosting.Store.ReadForwardAsync(_handle, from, to, cancellationToken).ConfigureAwait(false))
        {
            Commit decoded = CommitBodyCodec.Decode(commit);
            int index = IndexOf(decoded, key, wanted);
            if (index < 0)
                continue;
            JsonText value = decoded.Operations[index].Detached is null
                ? decoded.Operations[index].Value
                : await DetachedValueAsync(commit, index, cancellationToken).ConfigureAwait(false);
            return new KeyState(key, !value.IsAbsent, value, wanted, commit.CommitTs, commit.Time, commit.Version);
        }
        throw new InvariantBrokenException($"Version {wanted} of key \"{key}\" of agent {Agent} is in no commit of {from}..{to}.");
    }

    private static int IndexOf(Commit commit, Key key, KeyVersion version)
    {
        for (int i = 0; i < commit.Operations.Length; i++)
        {
            if (commit.Operations[i].Version == version && commit.Operations[i].Key == key)
                return i;
        }
        return -1;
    }

    /// <summary>A value that a commit wrote and that may be kept as a difference to the one before.</summary>
    private async Task<JsonText> DetachedValueAsync(JournalCommit commit, int index, CancellationToken cancellationToken)
    {
        JournalFold fold = await _hosting.Loader.FoldUpToAsync(
            _handle, new AgentVersion(commit.Version.Value - 1), cancellationToken).ConfigureAwait(false);
        AppliedOperation operation = fold.Add(commit).Operations[index];
        return !operation.Value.IsAbsent ? operation.Value : throw new HistoryTrimmedException(
            $"Version {operation.Version} of key \"{operation.Key}\" of agent {Agent} was written by version {commit.Version}, and the details that make its value are no longer kept.")
        {
            Details = new Dictionary<string, string> { ["key"] = operation.Key.ToString(), ["agent_version"] = commit.Version.ToString() },
        };
    }

    private async Task<(AgentVersion From, AgentVersion To)> StretchOfAsync(
        Key key, KeyVersion wanted, AgentState latest, CancellationToken cancellationToken)
    {
        IReadOnlyList<AgentVersion> snapshots = await _hosting.Store.ListSnapshotsAsync(_handle, cancellationToken).ConfigureAwait(false);
        int low = 0;
        int high = snapshots.Count;
        // The first snapshot that knows the wanted version, or a later one of this key, ends the stretch.
        while (low < high)
        {
            int middle = low + (high - low) / 2;
            LoadedState at = await _hosting.Loader.LoadAsync(_handle, snapshots[middle], cancellationToken).ConfigureAwait(false);
            KeyVersion there = at.State.Keys.Find(key)?.Version ?? KeyVersion.None;
            if (there.CompareTo(wanted) >= 0)
                high = middle;
            else
                low = middle + 1;
        }
        AgentVersion from = low == 0 ? AgentVersion.None.Next : snapshots[low - 1].Next;
        AgentVersion to = low == snapshots.Count || snapshots[low] > latest.Version ? latest.Version : snapshots[low];
        return (from, to);
    }

    private static KeyState ToKeyState(AgentState state, Key key) =>
        state.Keys.Find(key) is { } entry ? ToKeyState(entry, state.Version, keysOnly: false) : NeverWritten(key, state.Version);

    private static KeyState ToKeyState(KeyEntry entry, AgentVersion readAt, bool keysOnly) => new(
        entry.Key, entry.IsLive, keysOnly ? default : entry.Value, entry.Version, entry.Stamp.CommitTs, entry.Stamp.Time, readAt);

    private static KeyState NeverWritten(Key key, AgentVersion readAt) => new(key, false, default, KeyVersion.None, default, default, readAt);

    private RefusedException NoSuchAgent() => RefusedException.NotFound($"agent {Agent}");
}
