using System.Text.Json;

namespace Statehouse.Client;

/// <summary>An execution that this worker has claimed. Its writes carry the claim's token: after another claim they are refused.</summary>
public sealed class RecoveredExecution
{
    private readonly ExecutionsClient _client;
    private volatile bool _isEnding;

    internal RecoveredExecution(ExecutionsClient client, ClaimedExecution claim)
    {
        _client = client;
        Execution = claim.Execution;
        Token = claim.Token;
        Step = claim.Execution.Step;
        State = claim.State;
    }

    public string Id => Execution.ExecutionId;

    /// <summary>As it was when it was claimed.</summary>
    public Execution Execution { get; }

    public long Token { get; }

    /// <summary>Of the last checkpoint; null before the first.</summary>
    public long? Step { get; private set; }

    /// <summary>At the claim; undefined before the first checkpoint.</summary>
    public JsonElement State { get; }

    /// <summary>How the handler ended it; null where it has not.</summary>
    internal ExecutionStatus? Ended { get; private set; }

    /// <summary>A heartbeat that is refused meanwhile may have met our own ending.</summary>
    internal bool IsEnding => _isEnding;

    internal TimeSpan Lease => TimeSpan.FromMilliseconds(Execution.Settings?.RecoveryTimeoutMs ?? 300_000);

    /// <summary>Saves a state as the checkpoint of a step.</summary>
    /// <exception cref="StaleTokenException">Another worker has it: stop.</exception>
    public async Task<CheckpointReceipt> CheckpointAsync<T>(long step, T state, CancellationToken cancellationToken = default)
    {
        CheckpointReceipt receipt = await _client.CheckpointAsync(Id, step, state, Token, cancellationToken).ConfigureAwait(false);
        Step = step;
        return receipt;
    }

    public Task<Execution> CompleteAsync(object? result = null, CancellationToken cancellationToken = default) =>
        EndAsync(_client.CompleteAsync(Id, result, Token, cancellationToken));

    /// <summary>Ends it for good, whatever attempts are left.</summary>
    public Task<Execution> FailAsync(ExecutionFailure error, CancellationToken cancellationToken = default) =>
        EndAsync(_client.FailAsync(Id, error, Token, cancellationToken));

    private async Task<Execution> EndAsync(Task<Execution> ending)
    {
        _isEnding = true;
        try
        {
            Execution ended = await ending.ConfigureAwait(false);
            Ended = ended.Status;
            return ended;
        }
        finally
        {
            _isEnding = Ended is not null;
        }
    }
}
