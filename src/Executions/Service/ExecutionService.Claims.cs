using System.Collections.Concurrent;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <content>Handing executions out to workers.</content>
public sealed partial class ExecutionService
{
    public const int ClaimLimitMax = 100;

    // Candidates per execution wanted, and at least: workers that ask at once then rarely want the same one.
    private const int CandidatesPerWanted = 4;
    private const int CandidatesMin = 32;

    // Pages of candidates that a call looks at, where others are always first.
    private const int ClaimPagesMax = 32;

    private readonly ConcurrentDictionary<AgentId, bool> _beingClaimed = new();

    /// <summary>
    /// Hands out executions that are pending, or running with a lease that ran out, those longest due first, each to one
    /// caller only. One whose attempts are used up fails instead.
    /// </summary>
    /// <param name="namespace">Whose executions.</param>
    /// <param name="request">How many to whom.</param>
    /// <param name="cancellationToken">Gives up; what was handed out so far stays so until its lease runs out.</param>
    public async ValueTask<IReadOnlyList<ClaimedExecution>> ClaimAsync(string @namespace, ClaimRequest request, CancellationToken cancellationToken)
    {
        CheckClaim(request);
        var claimed = new List<ClaimedExecution>();
        int page = Math.Max(CandidatesMin, CandidatesPerWanted * request.Limit);
        var query = new IndexQuery(AgentKind.Execution, @namespace, page)
        {
            Statuses = [(byte)ExecutionStatus.Pending, (byte)ExecutionStatus.Running],
            Group = request.Workflow,
            Labels = [.. request.Labels],
            Order = IndexOrder.Due,
            DueAtMost = Now,
        };
        for (int read = 0; read < ClaimPagesMax; read++)
        {
            IReadOnlyList<IndexedAgent> due = await Stores.Index.QueryAsync(query, cancellationToken).ConfigureAwait(false);
            IndexedAgent[] candidates = [.. due];
            Random.Shared.Shuffle(candidates);
            foreach (IndexedAgent candidate in candidates)
            {
                try
                {
                    if (await TryClaimAsync(candidate.Agent, request, cancellationToken).ConfigureAwait(false) is { } mine)
                        claimed.Add(mine);
                }
                catch (StatehouseException error) when (error.Code.Kind() != ErrorKind.Fault)
                {
                    // One that cannot be claimed must not stand in the way of the others.
                    _log.Write(OperatorLogLevel.Error, $"Execution {candidate.Agent} is due and cannot be claimed: {error.Message}", error);
                }
                catch (StatehouseException error) when (claimed.Count > 0)
                {
                    // These are the caller's by now: unless it hears of them, each would wait for its lease to run out.
                    _log.Write(OperatorLogLevel.Warning, $"A claim ended early, with {claimed.Count} executions: {error.Message}", error);
                    return claimed;
                }
                if (claimed.Count == request.Limit)
                    return claimed;
            }
            if (due.Count < page)
                break;
            query = query with { After = new IndexCursor(due[^1].Row.DueAt ?? Now, due[^1].Agent.Name) };
        }
        return claimed;
    }

    /// <returns>null where somebody else was first, or it is not due any more.</returns>
    private async ValueTask<ClaimedExecution?> TryClaimAsync(AgentId agent, ClaimRequest request, CancellationToken cancellationToken)
    {
        // Another call of this process has it in hand: whatever comes of that, it is not for this one.
        if (!_beingClaimed.TryAdd(agent, true))
            return null;
        try
        {
            IAgentState state = StateOf(agent);
            if (await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) is not { } view)
                return null;
            if (ClaimRules.Claim(view, request.Worker, request.LeaseMs, Now) is not { } decision)
                return null;
            CommitReceipt receipt = await state.CommitAsync(Request(view, decision, keyed: null), cancellationToken).ConfigureAwait(false);
            var written = Written.By(After(agent, decision, receipt), receipt);
            if (decision.Run.Status == ExecutionStatus.Failed)
                return null;
            ExecutionsMetrics.Claim(recovers: view.Run.Status == ExecutionStatus.Running);
            return new ClaimedExecution(written, await ClaimedStateAsync(state, written, cancellationToken).ConfigureAwait(false));
        }
        catch (StateConflictException)
        {
            // A lost race: somebody else's claim, or a sign of life of who has it.
            _known.Remove(agent);
            return null;
        }
        finally
        {
            _beingClaimed.TryRemove(agent, out _);
        }
    }

    /// <summary>The state at the claim: the holder alone writes from then on, but an old one may have been first.</summary>
    private static async ValueTask<JsonText> ClaimedStateAsync(IAgentState state, Written written, CancellationToken cancellationToken)
    {
        if (written.View.Mark.Step is null)
            return default;
        KeyState latest = await state.GetAsync(
            new GetRequest(ExecutionKeys.State, ReadPoint.AtVersion(written.Version)), cancellationToken).ConfigureAwait(false);
        return latest.Value;
    }

    private static void CheckClaim(ClaimRequest request)
    {
        CreationRequest.CheckText("worker", request.Worker, CreationRequest.NameBytesMax);
        ExecutionSettings.InRange("limit", request.Limit, 1, ClaimLimitMax);
        if (request.LeaseMs is { } lease)
            ExecutionSettings.InRange("lease_ms", lease, 100, 86_400_000);
    }
}
