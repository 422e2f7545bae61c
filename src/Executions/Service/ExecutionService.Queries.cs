using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>What a namespace's executions, and this server, come to.</summary>
/// <param name="ByStatus">All statuses, also those that none has.</param>
/// <param name="Checkpoints">Since this server started, as the rest.</param>
/// <param name="CheckpointBytes">Of their states.</param>
/// <param name="P50Ms">Of checkpoints; null where there was none. To within a quarter.</param>
/// <param name="P90Ms">As <paramref name="P50Ms"/>.</param>
/// <param name="P99Ms">As <paramref name="P50Ms"/>.</param>
/// <param name="Buffered">Checkpoints that wait in memory now.</param>
/// <param name="Claims">Handed out.</param>
/// <param name="Recoveries">Of the claims, those after a lease that ran out.</param>
public sealed record ExecutionSummary(
    IReadOnlyDictionary<ExecutionStatus, long> ByStatus, long Checkpoints, long CheckpointBytes,
    double? P50Ms, double? P90Ms, double? P99Ms, long Buffered, long Claims, long Recoveries);

/// <content>Finding executions.</content>
public sealed partial class ExecutionService
{
    /// <summary>Executions by their index rows; shows every acknowledged commit.</summary>
    /// <param name="query">Its kind is <see cref="AgentKind.Execution"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Up to the limit, and whether more follow.</returns>
    /// <exception cref="RefusedException">SH-1003: a range that ends before it begins, a limit out of range.</exception>
    /// <exception cref="InvariantBrokenException">SH-9001. An item's row in the index is damaged.</exception>
    public async ValueTask<(IReadOnlyList<IndexedAgent> Items, bool HasMore)> QueryAsync(IndexQuery query, CancellationToken cancellationToken)
    {
        if (query.Limit < 1 || query.Limit > _limits.PageMax)
            throw RefusedException.Invalid("limit", $"1..{_limits.PageMax}", $"{query.Limit}");
        InOrder("started_to", query.StartedFrom, query.StartedTo);
        InOrder("updated_to", query.UpdatedFrom, query.UpdatedTo);
        // One more than asked for tells whether there are more; a store takes no more than its own limit.
        int wanted = query.Limit;
        int asked = Math.Min(wanted + 1, 1000);
        IReadOnlyList<IndexedAgent> found = await Stores.Index.QueryAsync(query with { Limit = asked }, cancellationToken).ConfigureAwait(false);
        foreach (IndexedAgent item in found)
            ExecutionIndex.CheckSummary(item);
        bool hasMore = found.Count > wanted || (asked == wanted && found.Count == wanted);
        return ([.. found.Take(wanted)], hasMore);
    }

    /// <summary>How many executions a namespace has by status, and what this server did since it started.</summary>
    public async ValueTask<ExecutionSummary> SummarizeAsync(string @namespace, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<byte, long> counts = await Stores.Index.CountByStatusAsync(AgentKind.Execution, @namespace, cancellationToken).ConfigureAwait(false);
        Dictionary<ExecutionStatus, long> byStatus = Enum.GetValues<ExecutionStatus>()
            .ToDictionary(status => status, status => counts.TryGetValue((byte)status, out long count) ? count : 0);
        (long checkpoints, long bytes, long claims, long recoveries) = ExecutionsMetrics.Totals;
        LatencyCounts latency = ExecutionsMetrics.Latency;
        return new ExecutionSummary(
            byStatus, checkpoints, bytes, latency.QuantileMs(0.5), latency.QuantileMs(0.9), latency.QuantileMs(0.99), BufferedCount, claims, recoveries);
    }

    private static void InOrder(string field, CommitTime? from, CommitTime? to)
    {
        if (from is { } start && to is { } end && start > end)
            throw RefusedException.Invalid(field, $"not before {start}", end.ToString());
    }
}
