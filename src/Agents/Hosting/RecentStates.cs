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
    private readonly Dictionary<(AgentId, AgentVersion), LinkedListNode<AgentState>> _byVersion = [];
    private readonly LinkedList<AgentState> _newestFirst = new();
    private long _bytes;

    public AgentState? Find(AgentId agent, AgentVersion version)
    {
        lock (_lock)
        {
            if (!_byVersion.TryGetValue((agent, version), out LinkedListNode<AgentState>? node))
                return null;
            _newestFirst.Remove(node);
            _newestFirst.AddFirst(node);
            return node.Value;
        }
    }

    public void Keep(AgentState state)
    {
        lock (_lock)
        {
            if (state.Bytes > bytesMax || _byVersion.ContainsKey((state.Agent, state.Version)))
                return;
            _byVersion.Add((state.Agent, state.Version), _newestFirst.AddFirst(state));
            _bytes += state.Bytes;
            while (_newestFirst.Count > countMax || _bytes > bytesMax)
                DropOldestNeedsLock();
        }
    }

    private void DropOldestNeedsLock()
    {
        AgentState oldest = _newestFirst.Last!.Value;
        _newestFirst.RemoveLast();
        _byVersion.Remove((oldest.Agent, oldest.Version));
        _bytes -= oldest.Bytes;
    }
}
