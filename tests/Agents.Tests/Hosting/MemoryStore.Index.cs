using System.Text;
using Statehouse.Journal;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>Index rows are asked of the commits themselves, and what is removed is removed from the lists.</summary>
public sealed partial class MemoryStore : IAgentIndex, IJournalRetention
{
    private static readonly Comparer<byte[]> ByBytes = Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right));

    public Task<IReadOnlyList<IndexedAgent>> QueryAsync(IndexQuery query, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ThrowIfAway();
            IEnumerable<IndexedAgent> ordered = Indexed(query.Kind, query.Namespace)
                .Where(agent => Matches(agent, query))
                .OrderBy(agent => ValueOf(agent, query.Order))
                .ThenBy(agent => Encoding.UTF8.GetBytes(agent.Agent.Name), ByBytes);
            if (query.Descending)
                ordered = ordered.Reverse();
            if (query.After is { } after)
                ordered = ordered.Where(agent => IsBeyond(agent, query, after));
            return Task.FromResult<IReadOnlyList<IndexedAgent>>([.. ordered.Take(query.Limit)]);
        }
    }

    public Task<IReadOnlyDictionary<byte, long>> CountByStatusAsync(AgentKind kind, string @namespace, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ThrowIfAway();
            return Task.FromResult<IReadOnlyDictionary<byte, long>>(
                Indexed(kind, @namespace).CountBy(agent => agent.Row.Status).ToDictionary(count => count.Key, count => (long)count.Value));
        }
    }

    public Task<long> CutDetailsAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ThrowIfAway();
            long dropped = 0;
            List<JournalCommit> journal = _journals.GetValueOrDefault(handle.Agent, []);
            for (int i = 0; i < journal.Count; i++)
            {
                JournalCommit whole = journal[i];
                if (whole.Version < fromInclusive || whole.Version > toInclusive || whole.Canonical.Length == whole.Body.Length)
                    continue;
                dropped += whole.Body.Length - whole.Canonical.Length;
                journal[i] = whole with { Body = whole.Canonical };
                _feed[_feed.FindIndex(item => ReferenceEquals(item.Commit, whole))] = new FeedCommit(handle.Agent, journal[i]);
            }
            return Task.FromResult(dropped);
        }
    }

    public Task<bool> DeleteAgentAsync(JournalHandle handle, AgentVersion version, CommitHash hash, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ThrowIfAway();
            if (HeadOf(handle.Agent) is not { } head || head.Version != version || head.Hash != hash)
                return Task.FromResult(false);
            _journals.Remove(handle.Agent);
            _snapshots.Remove(handle.Agent);
            _feed.RemoveAll(item => item.Agent == handle.Agent);
            return Task.FromResult(true);
        }
    }

    private IEnumerable<IndexedAgent> Indexed(AgentKind kind, string @namespace) =>
        from journal in _journals
        where journal.Key.Kind == kind && journal.Key.Namespace == @namespace
        let newest = journal.Value.FindLast(commit => commit.Index is not null)
        where newest is not null
        select new IndexedAgent(journal.Key, newest.Version, newest.Time, newest.Index!);

    private static bool Matches(IndexedAgent agent, IndexQuery query) =>
        (query.Statuses.IsEmpty || query.Statuses.Contains(agent.Row.Status))
        && (query.Group is null || agent.Row.Group == query.Group)
        && query.Labels.All(agent.Row.Labels.Contains)
        && IsWithin(agent.Row.StartedAt, query.StartedFrom, query.StartedTo)
        && IsWithin(agent.UpdatedAt, query.UpdatedFrom, query.UpdatedTo)
        && (query.DueAtMost is not { } most || agent.Row.DueAt <= most)
        && (query.Order != IndexOrder.Due || agent.Row.DueAt is not null);

    private static bool IsWithin(CommitTime time, CommitTime? from, CommitTime? to) =>
        (from is null || time >= from) && (to is null || time < to);

    private static CommitTime ValueOf(IndexedAgent agent, IndexOrder order) => order switch
    {
        IndexOrder.Started => agent.Row.StartedAt,
        IndexOrder.Updated => agent.UpdatedAt,
        _ => agent.Row.DueAt!.Value,
    };

    private static bool IsBeyond(IndexedAgent agent, IndexQuery query, IndexCursor after)
    {
        int order = ValueOf(agent, query.Order).CompareTo(after.Value);
        if (order == 0)
            order = ByBytes.Compare(Encoding.UTF8.GetBytes(agent.Agent.Name), Encoding.UTF8.GetBytes(after.Name));
        return query.Descending ? order < 0 : order > 0;
    }
}
