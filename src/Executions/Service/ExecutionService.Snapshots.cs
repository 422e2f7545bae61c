using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <content>Named snapshots, and going back to what was.</content>
public sealed partial class ExecutionService
{
    private static readonly Key SnapshotState = new("state");

    /// <summary>Gives the latest checkpoint, or that of a step, a name. Thinning does not touch what has one.</summary>
    /// <exception cref="StateConflictException">SH-1001: the name is taken, or there is no checkpoint yet.</exception>
    public async ValueTask<SnapshotLabel> NameAsync(AgentId agent, string name, long? step, long? token, CancellationToken cancellationToken)
    {
        CreationRequest.CheckText("name", name, CreationRequest.NameBytesMax);
        if (_buffer.MayHold(agent))
            await _buffer.FlushAsync(agent, cancellationToken).ConfigureAwait(false);
        for (int attempt = 1; ; attempt++)
        {
            ExecutionView view = await ReadAsync(agent, ConsistencyOf(attempt), cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
            KeyState taken = await StateOf(agent).GetAsync(new GetRequest(ExecutionKeys.Snapshot(name)), cancellationToken).ConfigureAwait(false);
            if (taken.Exists)
                throw ExecutionRefusals.SnapshotTaken(view, name);
            if ((step ?? view.Mark.Step) is not { } wanted)
                throw ExecutionRefusals.NoState(view);
            LoadedCheckpoint loaded = await LoadAsync(view, wanted, cancellationToken).ConfigureAwait(false);
            var label = new SnapshotLabel(name, wanted, loaded.Commit.Version, loaded.Commit.Time, loaded.State.Length);
            ExecutionDecision decision = ExecutionRules.Name(view, label, token, Now);
            if (decision.Refusal is { } refusal)
                throw refusal;
            var state = new CommitRequest([ExecutionDecision.Put(SnapshotState, loaded.State)]);
            try
            {
                ImmutableArray<CommitReceipt> receipts = await _agents.CommitTogetherAsync(
                    [new AgentCommitRequest(agent, Request(view, decision, keyed: null)), new AgentCommitRequest(SnapshotAgent(agent, name), state)],
                    cancellationToken).ConfigureAwait(false);
                After(agent, decision, receipts[0]);
                return label;
            }
            catch (StateConflictException) when (attempt < _options.DecideAttemptsMax)
            {
                _known.Remove(agent);
            }
        }
    }

    /// <summary>Named snapshots in byte order of their names.</summary>
    /// <exception cref="RefusedException">SH-1007: no such execution.</exception>
    public async ValueTask<(ImmutableArray<SnapshotLabel> Items, bool HasMore)> ListSnapshotsAsync(
        AgentId agent, string? after, int limit, CancellationToken cancellationToken)
    {
        ScanPage page = await StateOf(agent).ScanAsync(
            new ScanRequest(ExecutionKeys.SnapshotPrefix, after is null ? default : ExecutionKeys.Snapshot(after), limit), cancellationToken).ConfigureAwait(false);
        if (page.AgentVersion == AgentVersion.None)
            throw ExecutionRefusals.Unknown(agent);
        return ([.. page.Items.Select(LabelOf)], page.HasMore);
    }

    /// <summary>A named snapshot with its state.</summary>
    /// <exception cref="RefusedException">SH-1007.</exception>
    public async ValueTask<(SnapshotLabel Label, JsonText State)> GetSnapshotAsync(AgentId agent, string name, CancellationToken cancellationToken)
    {
        KeyState label = await StateOf(agent).GetAsync(new GetRequest(ExecutionKeys.Snapshot(name)), cancellationToken).ConfigureAwait(false);
        if (label.AgentVersion == AgentVersion.None)
            throw ExecutionRefusals.Unknown(agent);
        if (!label.Exists)
            throw ExecutionRefusals.NoSnapshot(agent, name);
        KeyState state = await _agents.Get(SnapshotAgent(agent, name)).GetAsync(new GetRequest(SnapshotState), cancellationToken).ConfigureAwait(false);
        return state.Exists ? (LabelOf(label), state.Value) : throw ExecutionRefusals.NoSnapshot(agent, name);
    }

    /// <summary>Takes a name away and lets go of what it kept.</summary>
    /// <exception cref="RefusedException">SH-1007.</exception>
    public async ValueTask UnnameAsync(AgentId agent, string name, long? token, CancellationToken cancellationToken)
    {
        await GetSnapshotAsync(agent, name, cancellationToken).ConfigureAwait(false);
        // As it is before the name goes: who takes the name again makes it another one, which stays.
        JournalHandle kept = new(SnapshotAgent(agent, name));
        JournalHead? head = _stores is null ? null : await _stores.Store.ReadHeadAsync(kept, cancellationToken).ConfigureAwait(false);
        await WriteNowAsync(
            agent, guess: null, async view =>
            {
                await GetSnapshotAsync(agent, name, cancellationToken).ConfigureAwait(false);
                return ExecutionRules.Unname(view, name, token, Now);
            },
            keyed: null, cancellationToken).ConfigureAwait(false);
        if (head is not null)
            await RemoveAsync([new AgentEnd(kept, head.Version, head.Hash)]).ConfigureAwait(false);
    }

    /// <summary>Commits the state of a named snapshot as the latest.</summary>
    /// <exception cref="RefusedException">SH-1007.</exception>
    public ValueTask<Written> RestoreAsync(AgentId agent, string snapshot, long? token, string? idempotencyKey, CancellationToken cancellationToken) =>
        RestoreAsync(
            agent, KeyedRequest.Of(idempotencyKey, "restore snapshot " + snapshot), token,
            async view =>
            {
                (SnapshotLabel label, JsonText state) = await GetSnapshotAsync(view.Agent, snapshot, cancellationToken).ConfigureAwait(false);
                return (label.Step, state);
            },
            cancellationToken);

    /// <summary>Commits the state of a step as the latest.</summary>
    /// <exception cref="RefusedException">SH-1007; SH-1008 with <c>nearest_step</c>: its state was thinned.</exception>
    public ValueTask<Written> RestoreAsync(AgentId agent, long step, long? token, string? idempotencyKey, CancellationToken cancellationToken) =>
        RestoreAsync(
            agent, KeyedRequest.Of(idempotencyKey, $"restore step {step}"), token,
            async view => (step, (await LoadAsync(view, step, cancellationToken).ConfigureAwait(false)).State),
            cancellationToken);

    private async ValueTask<Written> RestoreAsync(
        AgentId agent, KeyedRequest? keyed, long? token, Func<ExecutionView, ValueTask<(long Step, JsonText State)>> load,
        CancellationToken cancellationToken)
    {
        if (_buffer.MayHold(agent))
            await _buffer.FlushAsync(agent, cancellationToken).ConfigureAwait(false);
        return await WriteNowAsync(
            agent, guess: null, async view =>
            {
                (long step, JsonText state) = await load(view).ConfigureAwait(false);
                return ExecutionRules.Restore(view, step, state, token, Now);
            },
            keyed, cancellationToken).ConfigureAwait(false);
    }

    private AgentId SnapshotAgent(AgentId execution, string name) => SnapshotAgents.Of(execution, name, _limits.AgentIdBytesMax);

    private static SnapshotLabel LabelOf(KeyState state) => SnapshotLabel.Parse(ExecutionKeys.SnapshotName(state.Key), state.Value);
}
