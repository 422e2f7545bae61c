using System.Collections.Immutable;
using System.Security.Cryptography;
using Statehouse.Agents;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>A part of an execution's history.</summary>
/// <param name="Items">In the order asked for.</param>
/// <param name="Next">Where the next page goes on, exclusive; null = there is nothing more.</param>
public sealed record CheckpointPage(ImmutableArray<Checkpoint> Items, AgentVersion? Next);

/// <param name="Limit">1..page_max.</param>
public sealed record CheckpointQuery(int Limit)
{
    public long? FromStep { get; init; }

    public long? ToStep { get; init; }

    public bool NewestFirst { get; init; }

    public bool WithState { get; init; }

    /// <summary>Goes on behind this version, in the order asked for.</summary>
    public AgentVersion? After { get; init; }
}

/// <content>The history of checkpoints.</content>
public sealed partial class ExecutionService
{
    private const int CommitsPerRead = 1000;

    // A page says where it stopped also where it found little: a request never reads a whole long journal.
    private const int ReadsPerPageMax = 10;

    private const long StateBytesPerPageMax = 8L * 1024 * 1024;

    /// <summary>Checkpoints whose step lies in a range, by the order in which they were made.</summary>
    /// <exception cref="RefusedException">SH-1003: from above to; SH-1007: no such execution.</exception>
    public async ValueTask<CheckpointPage> ListCheckpointsAsync(AgentId agent, CheckpointQuery query, CancellationToken cancellationToken)
    {
        if (query.FromStep > query.ToStep)
            throw RefusedException.Invalid("to_step", $"at least from_step ({query.FromStep})", $"{query.ToStep}");
        ExecutionView view = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
        var items = ImmutableArray.CreateBuilder<Checkpoint>();
        (AgentVersion from, AgentVersion to) = await RangeAsync(view, query, cancellationToken).ConfigureAwait(false);
        long bytes = 0;
        for (int read = 0; from <= to; read++)
        {
            int limit = Math.Min(CommitsPerRead, Math.Max(query.Limit, 16));
            HistoryPage page = await StateOf(agent).GetCommitsAsync(
                new HistoryRequest(from, to, limit, query.NewestFirst), cancellationToken).ConfigureAwait(false);
            var states = new PageStates(page.Commits, query.NewestFirst, version => StateAtAsync(agent, version, cancellationToken));
            foreach (JournalCommit commit in page.Commits)
            {
                if (await CheckpointOfAsync(view, commit, query, states).ConfigureAwait(false) is { } checkpoint)
                {
                    items.Add(checkpoint);
                    bytes += checkpoint.State.Length;
                }
                if (query.NewestFirst)
                    to = new AgentVersion(commit.Version.Value - 1);
                else
                    from = commit.Version.Next;
                if (items.Count == query.Limit || bytes >= StateBytesPerPageMax)
                {
                    // The first and the last checkpoint say so themselves: what lies beyond is none.
                    bool isEnd = from > to || CommitMarks.MarkOf(commit).Count == (query.NewestFirst ? 1 : view.Mark.Count);
                    return new CheckpointPage(items.DrainToImmutable(), isEnd ? null : commit.Version);
                }
            }
            if (read + 1 == ReadsPerPageMax && from <= to)
                return new CheckpointPage(items.DrainToImmutable(), query.NewestFirst ? to.Next : new AgentVersion(from.Value - 1));
            if (page.Commits.Length == 0)
                break;
        }
        return new CheckpointPage(items.DrainToImmutable(), null);
    }

    /// <summary>Which commits to look at: without restores the steps only grow, so their range is one of versions.</summary>
    private async ValueTask<(AgentVersion From, AgentVersion To)> RangeAsync(
        ExecutionView view, CheckpointQuery query, CancellationToken cancellationToken)
    {
        AgentVersion from = AgentVersion.None.Next;
        AgentVersion to = view.Version;
        if (view.Run.Restores.Length == 0)
        {
            IAgentState state = StateOf(view.Agent);
            if (query.FromStep is { } fromStep)
                from = (await FirstAtStepAsync(state, from, to, fromStep, cancellationToken).ConfigureAwait(false))?.Version ?? to.Next;
            // Behind a step's checkpoint come commits that leave the step as it is, so the next step ends the range.
            if (query.ToStep is { } toStep && toStep < StepMark.StepMax
                && await FirstAtStepAsync(state, from, to, toStep + 1, cancellationToken).ConfigureAwait(false) is { } beyond)
                to = new AgentVersion(beyond.Version.Value - 1);
        }
        if (query.After is { } after && query.NewestFirst)
            to = after <= to ? new AgentVersion(after.Value - 1) : to;
        else if (query.After is { } before)
            from = before < from ? from : before < to ? before.Next : to.Next;
        return (from, to);
    }

    private static async ValueTask<Checkpoint?> CheckpointOfAsync(
        ExecutionView view, JournalCommit commit, CheckpointQuery query, PageStates states)
    {
        if (CommitMarks.StateOf(commit) is not { } operation || IsRestore(view, commit.Version))
            return null;
        StepMark mark = CommitMarks.MarkOf(commit);
        if (mark.Step is not { } step || step < query.FromStep || step > query.ToStep)
            return null;
        JsonText state = default;
        bool restorable = operation.Detached is not { Form: DetachedForm.Dropped };
        if (restorable && query.WithState)
        {
            state = await states.OfAsync(commit).ConfigureAwait(false);
            // It may have been thinned since the commit was read.
            restorable = !state.IsAbsent;
        }
        string sha256 = operation.Detached?.Digest.ToString() ?? Convert.ToHexStringLower(SHA256.HashData(operation.Value.Utf8));
        return new Checkpoint(commit, step, mark.StateBytes, sha256, restorable, state);
    }

    private static bool IsRestore(ExecutionView view, AgentVersion version)
    {
        foreach (RestoreMark restore in view.Run.Restores)
        {
            if (restore.Version == version)
                return true;
        }
        return false;
    }
}
