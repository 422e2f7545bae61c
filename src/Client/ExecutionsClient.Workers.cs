using System.Text.Json;

namespace Statehouse.Client;

/// <content>Claims, leases, and how an execution ends.</content>
public sealed partial class ExecutionsClient
{
    /// <summary>Takes executions that are pending, or whose worker has let its lease run out. Each is this worker's alone.</summary>
    public async Task<IReadOnlyList<ClaimedExecution>> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken = default)
    {
        byte[] body = ClientJson.Body(
            ("worker", request.Worker), ("limit", request.Limit), ("workflow", request.Workflow), ("labels", request.Labels),
            ("lease_ms", request.Lease is { } lease ? (long)lease.TotalMilliseconds : null));
        // Repeated after a lost answer it hands out others; what the lost one handed out waits for its lease to run out.
        JsonElement answer = await _requests.SendAsync(new ClientRequest(HttpMethod.Post, _all + "/claim", body), cancellationToken).ConfigureAwait(false);
        return [.. ClientJson.Member(answer, "items").EnumerateArray().Select(item => new ClaimedExecution(
            ClientJson.Read<Execution>(item), item.TryGetProperty("state", out JsonElement state) ? state : default))];
    }

    /// <summary>Extends the lease to now and the execution's recovery timeout.</summary>
    /// <exception cref="StaleTokenException">Another worker has it.</exception>
    public async Task<ExecutionLease> HeartbeatAsync(string executionId, long token, CancellationToken cancellationToken = default)
    {
        var request = new ClientRequest(HttpMethod.Post, Path(executionId, "heartbeat"), "{}"u8.ToArray(), token);
        JsonElement answer = await _requests.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return ClientJson.Read<ExecutionLease>(ClientJson.Member(answer, "lease"));
    }

    /// <summary>Ends a running execution well.</summary>
    /// <param name="executionId">Which.</param>
    /// <param name="result">Becomes JSON by the client's options; null = none.</param>
    /// <param name="token">Of the claim, where it was claimed.</param>
    /// <param name="cancellationToken">Gives up; it may have ended all the same.</param>
    public Task<Execution> CompleteAsync(string executionId, object? result = null, long? token = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(executionId, "complete", ClientJson.Body(("result", result is null ? null : StateText(result))), token, cancellationToken);

    public Task<Execution> FailAsync(string executionId, ExecutionFailure error, long? token = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(executionId, "fail", ClientJson.Body(("error", error)), token, cancellationToken);

    /// <summary>Ends it from outside: its worker's next write is refused.</summary>
    public Task<Execution> CancelAsync(string executionId, string? reason = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(executionId, "cancel", ClientJson.Body(("reason", reason)), null, cancellationToken);

    /// <summary>Nobody claims it until it is resumed; its worker's next write is refused.</summary>
    public Task<Execution> PauseAsync(string executionId, string? reason = null, CancellationToken cancellationToken = default) =>
        ChangeAsync(executionId, "pause", ClientJson.Body(("reason", reason)), null, cancellationToken);

    public Task<Execution> ResumeAsync(string executionId, CancellationToken cancellationToken = default) =>
        ChangeAsync(executionId, "resume", "{}"u8.ToArray(), null, cancellationToken);

    /// <summary>Makes the state of a step the latest again. The execution becomes pending; its history stays.</summary>
    /// <exception cref="StatehouseException">SH-1008: thinned, with <c>nearest_step</c> in its details.</exception>
    public Task<Execution> RestoreAsync(string executionId, long step, CancellationToken cancellationToken = default) =>
        ChangeAsync(executionId, "restore", ClientJson.Body(("step", step)), null, cancellationToken);

    /// <summary>The same to a snapshot.</summary>
    public Task<Execution> RestoreSnapshotAsync(string executionId, string name, CancellationToken cancellationToken = default) =>
        ChangeAsync(executionId, "restore", ClientJson.Body(("snapshot", name)), null, cancellationToken);

    /// <summary>Names the latest checkpoint, or that of a step, so that it is never thinned. Sent once: a repeat would find the name taken.</summary>
    public Task<Snapshot> CreateSnapshotAsync(string executionId, string name, long? step = null, CancellationToken cancellationToken = default)
    {
        string place = Path(executionId, "snapshots", name) + ClientRequests.Query([("step", step)]);
        return SendAsync<Snapshot>(new ClientRequest(HttpMethod.Post, place, "{}"u8.ToArray(), IsRepeatable: false), cancellationToken);
    }

    /// <summary>With its state.</summary>
    public Task<Snapshot> GetSnapshotAsync(string executionId, string name, CancellationToken cancellationToken = default) =>
        SendAsync<Snapshot>(new ClientRequest(HttpMethod.Get, Path(executionId, "snapshots", name)), cancellationToken);

    /// <summary>Without their states.</summary>
    public IAsyncEnumerable<Snapshot> SnapshotsAsync(string executionId, CancellationToken cancellationToken = default) =>
        PagesAsync<Snapshot>(Path(executionId, "snapshots"), [], cancellationToken);

    public Task DeleteSnapshotAsync(string executionId, string name, CancellationToken cancellationToken = default) =>
        _requests.SendAsync(new ClientRequest(HttpMethod.Delete, Path(executionId, "snapshots", name), IsRepeatable: false), cancellationToken);

    /// <summary>
    /// Claims unfinished executions and calls the handler for each. Meanwhile the lease is extended every third of it; where
    /// it is lost, the handler's token is cancelled. What the handler returns becomes the result, unless it has completed
    /// or failed the execution itself. Where it throws, another attempt is due when the lease has run out; the last
    /// attempt marks it failed.
    /// </summary>
    /// <param name="handler">Gets the execution, and a token that is cancelled when it must stop.</param>
    /// <param name="options">Who works, on what, how much at a time.</param>
    /// <param name="cancellationToken">Stops; what is in hand is left to the next attempt.</param>
    /// <returns>When nothing can be claimed; with <see cref="RecoveryOptions.Poll"/> never.</returns>
    public Task<RecoveryReport> RecoverAllAsync(
        Func<RecoveredExecution, CancellationToken, Task<object?>> handler, RecoveryOptions options, CancellationToken cancellationToken = default) =>
        new Recovery(this, handler, options, _options.Clock).RunAsync(cancellationToken);

    private Task<Execution> ChangeAsync(string executionId, string verb, byte[] body, long? token, CancellationToken cancellationToken) =>
        SendAsync<Execution>(new ClientRequest(HttpMethod.Post, Path(executionId, verb), body, token, NewKey()), cancellationToken);
}
