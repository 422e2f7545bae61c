using System.Collections.Concurrent;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>
/// The executions that this process wrote last, as they were then. Only ever a guess: what is decided on one commits on
/// exactly its version or not at all. In two generations, so that its size is bounded and what is used stays.
/// </summary>
internal sealed class ViewCache(int countMax)
{
    private ConcurrentDictionary<AgentId, ExecutionView> _young = new();
    private ConcurrentDictionary<AgentId, ExecutionView> _old = new();
    private int _youngCount;

    public ExecutionView? Find(AgentId agent)
    {
        if (_young.TryGetValue(agent, out ExecutionView? view))
            return view;
        if (!_old.TryRemove(agent, out view))
            return null;
        Put(view);
        return view;
    }

    public void Put(ExecutionView view)
    {
        ConcurrentDictionary<AgentId, ExecutionView> young = _young;
        if (young.TryAdd(view.Agent, view))
        {
            if (Interlocked.Increment(ref _youngCount) > countMax / 2)
                NextGeneration(young);
            return;
        }
        // A slower writer must not put an older view in the place of a newer one; that would only cost a second look.
        young.AddOrUpdate(view.Agent, view, (_, known) => known.Version > view.Version ? known : view);
    }

    public void Remove(AgentId agent)
    {
        if (_young.TryRemove(agent, out _))
            Interlocked.Decrement(ref _youngCount);
        _old.TryRemove(agent, out _);
    }

    private void NextGeneration(ConcurrentDictionary<AgentId, ExecutionView> full)
    {
        if (Interlocked.CompareExchange(ref _young, new ConcurrentDictionary<AgentId, ExecutionView>(), full) != full)
            return;
        _old = full;
        Volatile.Write(ref _youngCount, 0);
    }
}
