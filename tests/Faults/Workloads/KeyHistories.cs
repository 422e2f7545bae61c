using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>What each key was at each agent version, by the journals. Made agent by agent, when first asked.</summary>
internal sealed class KeyHistories(RunEvidence evidence)
{
    private readonly Dictionary<AgentName, SortedDictionary<string, List<(long Version, JournaledOperation Operation)>>> _agents = [];

    /// <returns>The last operation on the key up to that version; null = never written by then.</returns>
    public JournaledOperation? At(AgentName agent, string key, long version) =>
        Keys(agent).TryGetValue(key, out List<(long, JournaledOperation)>? history) ? Last(history, version) : null;

    /// <summary>All keys with a prefix that lived at that version, in byte order.</summary>
    public IEnumerable<ScannedKey> StateAt(AgentName agent, string prefix, long version)
    {
        foreach ((string key, List<(long, JournaledOperation)> history) in Keys(agent))
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal) && Last(history, version) is { Value: { } value } operation)
                yield return new ScannedKey(key, value, operation.KeyVersion);
        }
    }

    private static JournaledOperation? Last(List<(long Version, JournaledOperation Operation)> history, long version)
    {
        int low = 0;
        int high = history.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (history[middle].Version <= version)
                low = middle + 1;
            else
                high = middle;
        }
        return low == 0 ? null : history[low - 1].Operation;
    }

    private SortedDictionary<string, List<(long Version, JournaledOperation Operation)>> Keys(AgentName agent)
    {
        if (_agents.TryGetValue(agent, out SortedDictionary<string, List<(long, JournaledOperation)>>? keys))
            return keys;
        // Ordinal order is byte order for the keys of the workloads: none has a surrogate.
        keys = new SortedDictionary<string, List<(long, JournaledOperation)>>(StringComparer.Ordinal);
        foreach (JournaledCommit commit in evidence.Commits(agent))
        {
            foreach (JournaledOperation operation in commit.Operations)
            {
                if (!keys.TryGetValue(operation.Key, out List<(long, JournaledOperation)>? history))
                    keys[operation.Key] = history = [];
                history.Add((commit.Version, operation));
            }
        }
        return _agents[agent] = keys;
    }
}
