using Statehouse.Agents;
using Statehouse.Agents.Codec;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>
/// Executions over any host of agents. Everything is a commit on the execution's agent, conditional on the version that
/// it was decided on; nothing here is the truth of anything, so any number of processes may serve the same executions.
/// </summary>
/// <remarks>Faults of the journal pass through as they are. Refusals: docs/executions.md.</remarks>
public sealed partial class ExecutionService : IAsyncDisposable
{
    // Lists show it.
    private const int ReasonBytesMax = 1024;

    private readonly IAgents _agents;
    private readonly ExecutionStores? _stores;
    private readonly ViewCache _known;
    private readonly CheckpointBuffer _buffer;
    private readonly Thinner? _thinner;
    private readonly Limits _limits;
    private readonly ExecutionOptions _options;
    private readonly TimeProvider _clock;
    private readonly IOperatorLog _log;

    /// <param name="agents">All agents.</param>
    /// <param name="stores">Finds and lets go; null = queries, claims and cleanup are refused with SH-2001.</param>
    /// <param name="limits">What requests may hold.</param>
    /// <param name="options">How this server runs them.</param>
    /// <param name="clock">Leases and times.</param>
    /// <param name="log">Hears what an operator should know.</param>
    public ExecutionService(
        IAgents agents, ExecutionStores? stores, Limits limits, ExecutionOptions options, TimeProvider clock, IOperatorLog log)
    {
        _agents = agents;
        _stores = stores;
        _limits = limits;
        _options = options;
        _clock = clock;
        _log = log;
        _known = new ViewCache(options.KnownMax);
        _buffer = new CheckpointBuffer(WriteBufferedAsync, options, clock, log);
        if (stores is not null)
            _thinner = new Thinner(async (agent, stopping) => await ThinAsync(agent, stopping).ConfigureAwait(false), log);
    }

    private CommitTime Now => CommitTime.From(_clock.GetUtcNow());

    /// <summary>The execution as it is, with its hash and result.</summary>
    /// <exception cref="RefusedException">SH-1007.</exception>
    public async ValueTask<ExecutionDetail> GetAsync(AgentId agent, Consistency consistency, CancellationToken cancellationToken)
    {
        IAgentState state = StateOf(agent);
        for (int attempt = 1; ; attempt++)
        {
            ExecutionView view = await ReadAsync(agent, consistency, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
            JsonText result = default;
            if (view.Run.HasResult)
                result = (await state.GetAsync(new GetRequest(ExecutionKeys.Result), cancellationToken).ConfigureAwait(false)).Value;
            AgentHead head = await state.GetHeadAsync(Consistency.Default, cancellationToken).ConfigureAwait(false);
            if (head.Version == view.Version)
                return new ExecutionDetail(view, head.Hash, result);
            if (attempt >= _options.DecideAttemptsMax)
                throw Busy(agent);
        }
    }

    /// <summary>Creates an execution, or finds that it was created with the same content before (then Replayed).</summary>
    /// <exception cref="RefusedException">SH-1002: it was created with other content; SH-1003, SH-1004.</exception>
    public async ValueTask<Written> CreateAsync(string @namespace, CreationRequest request, CancellationToken cancellationToken)
    {
        request.Check(_limits);
        string id = request.ExecutionId ?? Guid.CreateVersion7(_clock.GetUtcNow()).ToString();
        AgentId agent = ExecutionKeys.Agent(@namespace, id);
        IAgentState state = StateOf(agent);
        ExecutionDecision decision = request.Decide(Now);
        try
        {
            CommitReceipt receipt = await state.CommitAsync(
                new CommitRequest(decision.Operations) { IfAgentVersion = AgentVersion.None }, cancellationToken).ConfigureAwait(false);
            ExecutionsMetrics.Created.Add(1);
            ExecutionView after = After(agent, decision, receipt);
            if (!request.State.IsAbsent)
                OnCheckpoint(after);
            return Written.By(after, receipt);
        }
        catch (StateConflictException)
        {
            ExecutionDetail there = await GetAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false);
            if (there.View.Run.Creation != decision.Run.Creation)
                throw ExecutionRefusals.OtherCreation(agent);
            return new Written(there.View, there.View.Version, there.View.CommitTs, there.View.Time, Guid.Empty, there.Hash, Replayed: true);
        }
    }

    /// <summary>Extends the lease.</summary>
    public ValueTask<Written> HeartbeatAsync(AgentId agent, long? token, CancellationToken cancellationToken) =>
        WriteAsync(agent, (view, now) => ExecutionRules.Heartbeat(view, token, now), keyed: null, cancellationToken);

    /// <summary>Pause, resume, complete, fail, cancel.</summary>
    public ValueTask<Written> ChangeAsync(
        AgentId agent, StatusChange change, long? token, string? idempotencyKey, CancellationToken cancellationToken)
    {
        if (change.Error.Length > _limits.MetadataBytesMax)
            throw RefusedException.OverLimit("error", "metadata_bytes_max", _limits.MetadataBytesMax, change.Error.Length);
        if (change.Result.Length > _limits.ValueBytesMax)
            throw RefusedException.OverLimit("result", "value_bytes_max", _limits.ValueBytesMax, change.Result.Length);
        if (change.Reason is { } reason && System.Text.Encoding.UTF8.GetByteCount(reason) is var bytes && bytes > ReasonBytesMax)
            throw RefusedException.Invalid("reason", $"at most {ReasonBytesMax} bytes of UTF-8", $"{bytes}");
        JsonText content = change.To == ExecutionStatus.Completed ? change.Result : change.Error;
        KeyedRequest? keyed = KeyedRequest.Of(idempotencyKey, $"{change.To.Text()} {change.Reason}", content);
        return WriteAsync(agent, (view, now) => ExecutionRules.Change(view, change, token, now), keyed, cancellationToken);
    }

    private IAgentState StateOf(AgentId agent)
    {
        try
        {
            return _agents.Get(agent);
        }
        catch (RefusedException error) when (error.Details.TryGetValue("field", out string? field) && field == "agent")
        {
            throw new RefusedException(error.Code, error.Message.Replace("agent ", "execution_id ", StringComparison.Ordinal))
            {
                Details = new Dictionary<string, string>(error.Details) { ["field"] = "execution_id" },
            };
        }
    }

    /// <summary>The execution as its agent shows it now, all of one version; null where there is none.</summary>
    private async ValueTask<ExecutionView?> ReadAsync(AgentId agent, Consistency consistency, CancellationToken cancellationToken)
    {
        IAgentState state = StateOf(agent);
        for (int attempt = 1; ; attempt++)
        {
            KeyState step = await state.GetAsync(new GetRequest(ExecutionKeys.Step, Consistency: consistency), cancellationToken).ConfigureAwait(false);
            if (!step.Exists)
                return null;
            KeyState run = await state.GetAsync(new GetRequest(ExecutionKeys.Run), cancellationToken).ConfigureAwait(false);
            // Every commit puts the step: its commit is the last one.
            if (run.Exists && run.AgentVersion == step.AgentVersion)
            {
                return new ExecutionView(
                    agent, RunCodec.Parse(run.Value), StepMark.Parse(step.Value), step.AgentVersion, step.CommitTs, step.Time,
                    run.CommitTs == step.CommitTs);
            }
            if (attempt >= _options.DecideAttemptsMax)
                throw Busy(agent);
        }
    }

    private ExecutionView After(AgentId agent, ExecutionDecision decision, CommitReceipt receipt)
    {
        var view = new ExecutionView(
            agent, decision.Run, decision.Mark, receipt.Version, receipt.CommitTs, receipt.Time, decision.WritesRun);
        _known.Put(view);
        return view;
    }

    /// <summary>Decides and commits, after what is buffered of this execution.</summary>
    private async ValueTask<Written> WriteAsync(
        AgentId agent, Func<ExecutionView, CommitTime, ExecutionDecision> decide, KeyedRequest? keyed, CancellationToken cancellationToken,
        Func<ExecutionView, ValueTask<Written?>>? findRepeat = null)
    {
        if (_buffer.MayHold(agent))
            await _buffer.FlushAsync(agent, cancellationToken).ConfigureAwait(false);
        return await WriteNowAsync(
            agent, _known.Find(agent), view => new ValueTask<ExecutionDecision>(decide(view, Now)), keyed, cancellationToken, findRepeat).ConfigureAwait(false);
    }

    /// <summary>Decides and commits; where another commit was first, looks again and decides again.</summary>
    /// <param name="agent">Which execution.</param>
    /// <param name="guess">What it may be at; null = look first.</param>
    /// <param name="decide">May read; what it throws is told where no guess was decided on.</param>
    /// <param name="keyed">null = without an idempotency key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="findRepeat">Answers a decision that may be a repeat, or null.</param>
    private async ValueTask<Written> WriteNowAsync(
        AgentId agent, ExecutionView? guess, Func<ExecutionView, ValueTask<ExecutionDecision>> decide, KeyedRequest? keyed,
        CancellationToken cancellationToken, Func<ExecutionView, ValueTask<Written?>>? findRepeat = null)
    {
        IAgentState state = StateOf(agent);
        for (int attempt = 1; ; attempt++)
        {
            bool isGuess = guess is not null;
            ExecutionView view = guess
                ?? await ReadAsync(agent, ConsistencyOf(attempt), cancellationToken).ConfigureAwait(false)
                ?? throw ExecutionRefusals.Unknown(agent);
            guess = null;
            ExecutionDecision decision = await decide(view).ConfigureAwait(false);
            if (decision.Refusal is { } refusal)
            {
                // A commit meets its condition; a refusal would rest on what may no longer be so.
                if (isGuess)
                    continue;
                if (keyed is not null && await FindRepeatAsync(state, view, keyed, cancellationToken).ConfigureAwait(false) is { } repeat)
                    return repeat;
                if (decision.MayBeRepeat && findRepeat is not null && await findRepeat(view).ConfigureAwait(false) is { } same)
                    return same;
                throw refusal;
            }
            try
            {
                CommitReceipt receipt = await state.CommitAsync(Request(view, decision, keyed), cancellationToken).ConfigureAwait(false);
                if (!receipt.Replayed)
                    return Written.By(After(agent, decision, receipt), receipt);
                ExecutionView now = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
                return Written.By(now, receipt) with { Replayed = true };
            }
            catch (StateConflictException) when (attempt < _options.DecideAttemptsMax)
            {
                _known.Remove(agent);
            }
            catch (StateConflictException)
            {
                throw Busy(agent);
            }
            catch (RefusedException refused) when (refused.Code == ErrorCode.IdempotencyKeyReused && keyed is not null)
            {
                return await RepeatOfAsync(state, agent, keyed, refused, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static CommitRequest Request(ExecutionView view, ExecutionDecision decision, KeyedRequest? keyed) => new(decision.Operations)
    {
        IfAgentVersion = view.Version,
        // Another execution may have the id of one that was removed, and stand at the same version.
        IfAgentCommitTs = view.CommitTs,
        IdempotencyKey = keyed?.Key,
        Metadata = keyed?.Metadata ?? default,
    };

    /// <summary>Another process may be the one that writes: a host that has not heard of it is told to ask the journal.</summary>
    private static Consistency ConsistencyOf(int attempt) => attempt <= 2 ? Consistency.Default : Consistency.Strong;

    /// <summary>Asks the agent whether it remembers the key, with a commit that cannot happen otherwise.</summary>
    private async ValueTask<Written?> FindRepeatAsync(
        IAgentState state, ExecutionView view, KeyedRequest keyed, CancellationToken cancellationToken)
    {
        var probe = new CommitRequest([ExecutionDecision.Put(ExecutionKeys.Step, JsonText.Trusted("null"u8.ToArray()))])
        {
            IfAgentVersion = new AgentVersion(long.MaxValue),
            IdempotencyKey = keyed.Key,
        };
        try
        {
            await state.CommitAsync(probe, cancellationToken).ConfigureAwait(false);
            throw new InvariantBrokenException($"Execution {view.Agent} took a commit that requires its version to be {long.MaxValue}.");
        }
        catch (StateConflictException)
        {
            return null;
        }
        catch (RefusedException refused) when (refused.Code == ErrorCode.IdempotencyKeyReused)
        {
            return await RepeatOfAsync(state, view.Agent, keyed, refused, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The first commit under this key, where it was asked for the same.</summary>
    private async ValueTask<Written> RepeatOfAsync(
        IAgentState state, AgentId agent, KeyedRequest keyed, RefusedException refused, CancellationToken cancellationToken)
    {
        var version = new AgentVersion(long.Parse(refused.Details["agent_version"], System.Globalization.CultureInfo.InvariantCulture));
        JournalCommit first = await state.GetCommitAsync(version, cancellationToken).ConfigureAwait(false);
        if (!CommitBodyCodec.Decode(first).Metadata.Utf8.SequenceEqual(keyed.Metadata.Utf8))
            throw ExecutionRefusals.KeyReused(agent, keyed.Key);
        ExecutionView now = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
        return Written.Before(now, first);
    }

    private StateConflictException Busy(AgentId agent) =>
        new($"Execution \"{agent.Name}\" is written by others so busily that {_options.DecideAttemptsMax} attempts all came second. Nothing was written.")
        {
            Details = new Dictionary<string, string> { ["namespace"] = agent.Namespace, ["execution_id"] = agent.Name },
        };

    private ExecutionStores Stores => _stores
        ?? throw new JournalUnavailableException("This server's store keeps no index of executions.");
}
