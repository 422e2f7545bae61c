using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>One agent's journal, made fast to ask: what was a key at a version, which commit has a commit_ts.</summary>
internal sealed class AgentIndex
{
    private readonly Dictionary<long, JournaledCommit> _byVersion = [];
    private readonly Dictionary<long, JournaledCommit> _byCommitTs = [];
    private readonly Dictionary<string, List<KeyPoint>> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> _liveCounts = new(StringComparer.Ordinal);

    public AgentIndex(AgentName agent, IReadOnlyList<JournaledCommit> commits)
    {
        Agent = agent;
        Commits = commits;
        foreach (JournaledCommit commit in commits)
        {
            _byVersion.TryAdd(commit.Version, commit);
            _byCommitTs.TryAdd(commit.CommitTs, commit);
            LastVersion = Math.Max(LastVersion, commit.Version);
            foreach (JournaledOperation operation in commit.Operations)
                Fold(commit, operation);
        }
        Keys = [.. _keys.Keys.Order(ByteOrder.Instance)];
    }

    public AgentName Agent { get; }

    public IReadOnlyList<JournaledCommit> Commits { get; }

    public long LastVersion { get; }

    /// <summary>All keys that were ever written, in byte order.</summary>
    public IReadOnlyList<string> Keys { get; }

    public JournaledCommit? At(long version) => _byVersion.GetValueOrDefault(version);

    public JournaledCommit? AtCommitTs(long commitTs) => _byCommitTs.GetValueOrDefault(commitTs);

    /// <summary>What a key was when the agent was at a version; key version 0 = it had never been written.</summary>
    public KeyPoint KeyAt(string key, long agentVersion)
    {
        if (!_keys.TryGetValue(key, out List<KeyPoint>? points))
            return KeyPoint.None;
        int low = 0, high = points.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (points[middle].AgentVersion <= agentVersion)
                low = middle + 1;
            else
                high = middle;
        }
        return low == 0 ? KeyPoint.None : points[low - 1];
    }

    /// <summary>At which agent versions a key had a key version.</summary>
    /// <returns>Null where it never had it. Empty (first above last) where the commit that made it also made the next one.</returns>
    public (long First, long Last, KeyPoint Point)? WhenKeyHad(string key, long keyVersion)
    {
        List<KeyPoint> points = _keys.GetValueOrDefault(key) ?? [];
        if (keyVersion < 0 || keyVersion > points.Count)
            return null;
        long last = keyVersion < points.Count ? points[(int)keyVersion].AgentVersion - 1 : LastVersion;
        KeyPoint point = keyVersion == 0 ? KeyPoint.None : points[(int)keyVersion - 1];
        return (point.AgentVersion, last, point);
    }

    /// <summary>How many keys with a prefix were live, by agent version from 0 on.</summary>
    public int[] LiveCounts(string prefix)
    {
        if (_liveCounts.TryGetValue(prefix, out int[]? known))
            return known;
        int[] counts = new int[LastVersion + 1];
        foreach ((string key, List<KeyPoint> points) in _keys)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            bool wasLive = false;
            foreach (KeyPoint point in points.Where(point => point.Value is not null != wasLive))
            {
                counts[point.AgentVersion] += wasLive ? -1 : 1;
                wasLive = !wasLive;
            }
        }
        for (int version = 1; version < counts.Length; version++)
            counts[version] += counts[version - 1];
        return _liveCounts[prefix] = counts;
    }

    /// <summary>The live keys with a prefix at a version, in byte order.</summary>
    public IReadOnlyList<ScannedKey> ScanAt(string prefix, long agentVersion) =>
        [.. from key in Keys
            where key.StartsWith(prefix, StringComparison.Ordinal)
            let point = KeyAt(key, agentVersion)
            where point.Value is not null
            select new ScannedKey(key, point.Value!, point.KeyVersion)];

    private void Fold(JournaledCommit commit, JournaledOperation operation)
    {
        if (!_keys.TryGetValue(operation.Key, out List<KeyPoint>? points))
            _keys.Add(operation.Key, points = []);
        points.Add(new KeyPoint(commit.Version, points.Count + 1, operation.Value, commit.CommitTs));
    }
}

/// <param name="AgentVersion">The commit that wrote it; 0 = none has.</param>
/// <param name="KeyVersion">Counted by folding, not taken from the journal.</param>
/// <param name="Value">Null = does not exist.</param>
/// <param name="CommitTs">Of that commit.</param>
internal readonly record struct KeyPoint(long AgentVersion, long KeyVersion, string? Value, long CommitTs)
{
    public static readonly KeyPoint None = new(0, 0, null, 0);
}
