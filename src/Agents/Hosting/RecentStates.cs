using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// The last few past states that reads asked for, so that the pages of one scan fold the journal once. Bounded in
/// count and in bytes; the least recently used leaves first.
/// </summary>
internal sealed class RecentStates(int countMax, long bytesMax)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(AgentId, long, AgentVersion), LinkedListNode<(AgentState State, long StoreKey)>> _byVersion = [];
    private readonly LinkedList<(AgentState State, long StoreKey)> _newestFirst = new();
    private long _bytes;

    /// <param name="agent">Whose.</param>
    /// <param name="storeKey">The store's number for it: another agent that has the name of a removed one has another number.</param>
    /// <param name="version">Which one.</param>
    public AgentState? Find(AgentId agent, long storeKey, AgentVersion version)
    {
        lock (_lock)
        {
            if (!_byVersion.TryGetValue((agent, storeKey, version), out LinkedListNode<(AgentState State, long StoreKey)>? node))
                return null;
            _newestFirst.Remove(node);
            _newestFirst.AddFirst(node);
            return node.Value.State;
        }
    }

    public void Keep(AgentState state, long storeKey)
    {
        lock (_lock)
        {
            if (state.Bytes > bytesMax || _byVersion.ContainsKey((state.Agent, storeKey, state.Version)))
                return;
            _byVersion.Add((state.Agent, storeKey, state.Version), _newestFirst.AddFirst((state, storeKey)));
            _bytes += state.Bytes;
            while (_newestFirst.Count > countMax || _bytes > bytesMax)
                DropOldestNeedsLock();
        }
    }

    private void DropOldestNeedsLock()
    {
        (AgentState oldest, long storeKey) = _newestFirst.Last!.Value;
        _newestFirst.RemoveLast();
        _byVersion.Remove((oldest.Agent, storeKey, oldest.Version));
        _bytes -= oldest.Bytes;
    }
}
