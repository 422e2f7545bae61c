using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Statehouse.Client;

/// <summary>
/// The executions of one namespace, over HTTP: docs/executions.md. Safe for use from several threads. Every method throws
/// <see cref="StatehouseException"/>; writes are repeated where an answer is lost, and written once.
/// </summary>
public sealed partial class ExecutionsClient
{
    private const int PageMax = 1_000;

    // States may be large: the server holds a page of them at a time.
    private const int StatesPage = 100;

    private readonly ClientRequests _requests;
    private readonly ExecutionsClientOptions _options;
    private readonly string _all;

    internal ExecutionsClient(HttpClient http, string @namespace, ExecutionsClientOptions options)
    {
        _requests = new ClientRequests(http, options);
        _options = options;
        _all = $"/v1/namespaces/{ClientRequests.Segment(nameof(@namespace), @namespace)}/executions";
    }

    /// <summary>Creates an execution. The same again returns it as it is now; another one of its id is refused (SH-1002).</summary>
    public async Task<Execution> CreateAsync(NewExecution execution, CancellationToken cancellationToken = default)
    {
        byte[] body = ClientJson.Body(
            ("execution_id", execution.ExecutionId ?? Guid.CreateVersion7().ToString()),
            ("workflow", execution.Workflow),
            ("labels", execution.Labels),
            ("state", execution.State is null ? null : StateText(execution.State)),
            ("settings", execution.Settings),
            ("max_attempts", execution.MaxAttempts),
            ("claim", execution.ClaimedBy is { } worker ? new Dictionary<string, string> { ["worker"] = worker } : null));
        return await SendAsync<Execution>(new ClientRequest(HttpMethod.Post, _all, body), cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="StatehouseException">SH-1007: there is none.</exception>
    public Task<Execution> GetAsync(string executionId, CancellationToken cancellationToken = default) =>
        SendAsync<Execution>(new ClientRequest(HttpMethod.Get, Path(executionId)), cancellationToken);

    /// <summary>Those that match, page after page.</summary>
    public IAsyncEnumerable<Execution> QueryAsync(ExecutionQuery? query = null, CancellationToken cancellationToken = default)
    {
        query ??= new ExecutionQuery();
        (string, object?)[] conditions =
        [
            .. query.Statuses.Select(status => ("status", (object?)JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString()))),
            .. query.Labels.Select(label => ("label", (object?)$"{label.Key}={label.Value}")),
            ("workflow", query.Workflow),
            ("started_from", query.StartedFrom), ("started_to", query.StartedTo),
            ("updated_from", query.UpdatedFrom), ("updated_to", query.UpdatedTo),
            ("order_by", query.ByStart ? "started" : null), ("order", query.OldestFirst ? "asc" : null), ("limit", PageMax),
        ];
        return PagesAsync<Execution>(_all, conditions, cancellationToken);
    }

    /// <summary>Saves a state as the checkpoint of a step; returns when that is durable.</summary>
    /// <param name="executionId">Which.</param>
    /// <param name="step">Above the last one; the last one again with the same state is no error.</param>
    /// <param name="state">Becomes JSON by the client's options; a <see cref="JsonElement"/> is sent as it is.</param>
    /// <param name="token">Of the claim, where it was claimed.</param>
    /// <param name="cancellationToken">Gives up; it may be written all the same.</param>
    /// <exception cref="StaleTokenException">Another worker has it.</exception>
    /// <exception cref="StatehouseException">SH-1001: the step is taken, or the execution is paused or has ended.</exception>
    public Task<CheckpointReceipt> CheckpointAsync<T>(
        string executionId, long step, T state, long? token = null, CancellationToken cancellationToken = default) =>
        SendAsync<CheckpointReceipt>(
            new ClientRequest(HttpMethod.Put, Path(executionId, "checkpoints", Number(step)), StateText(state), token, NewKey()), cancellationToken);

    /// <summary>The latest checkpoint, or that of a step.</summary>
    /// <exception cref="StatehouseException">SH-1007: none; SH-1008: thinned, with <c>nearest_step</c> in its details.</exception>
    public Task<Checkpoint> LoadAsync(string executionId, long? step = null, CancellationToken cancellationToken = default) =>
        SendAsync<Checkpoint>(
            new ClientRequest(HttpMethod.Get, Path(executionId, "checkpoints", step is { } given ? Number(given) : "latest")), cancellationToken);

    /// <summary>Checkpoints in the order in which they were made, those that were restored over included.</summary>
    public IAsyncEnumerable<CheckpointEntry> HistoryAsync(
        string executionId, HistoryQuery? query = null, CancellationToken cancellationToken = default)
    {
        query ??= new HistoryQuery();
        (string, object?)[] conditions =
        [
            ("from_step", query.FromStep), ("to_step", query.ToStep), ("order", query.NewestFirst ? "desc" : null),
            ("state", query.WithState ? "true" : null), ("limit", query.WithState ? StatesPage : PageMax),
        ];
        return PagesAsync<CheckpointEntry>(Path(executionId, "checkpoints"), conditions, cancellationToken);
    }

    /// <summary>Commits checkpoints of several executions: all of them or none.</summary>
    /// <param name="checkpoints">1..100, of different executions.</param>
    /// <param name="cancellationToken">Gives up; they may be written all the same.</param>
    public Task<TogetherReceipt> CommitAsync(IEnumerable<StagedCheckpoint> checkpoints, CancellationToken cancellationToken = default)
    {
        using var staged = new MemoryStream();
        staged.WriteByte((byte)'[');
        foreach (StagedCheckpoint checkpoint in checkpoints)
        {
            if (staged.Length > 1)
                staged.WriteByte((byte)',');
            staged.Write(ClientJson.Body(
                ("execution_id", checkpoint.ExecutionId), ("step", checkpoint.Step), ("state", StateText(checkpoint.State)), ("token", checkpoint.Token)));
        }
        staged.WriteByte((byte)']');
        byte[] body = ClientJson.Body(("checkpoints", staged.ToArray()), ("idempotency_key", NewKey()));
        return SendAsync<TogetherReceipt>(new ClientRequest(HttpMethod.Post, _all + "/commit", body), cancellationToken);
    }

    public Task<ExecutionMetrics> MetricsAsync(CancellationToken cancellationToken = default) =>
        SendAsync<ExecutionMetrics>(new ClientRequest(HttpMethod.Get, _all + "/metrics"), cancellationToken);

    /// <summary>Removes executions that ended before a time, history and all; asks again until none is left.</summary>
    /// <param name="olderThan">From when on they are kept.</param>
    /// <param name="statuses">Final ones only.</param>
    /// <param name="dryRun">Only counts, up to what one call covers.</param>
    /// <param name="cancellationToken">Gives up; what was removed so far is gone.</param>
    public async Task<CleanupResult> CleanUpAsync(
        DateTimeOffset olderThan, IReadOnlyCollection<ExecutionStatus> statuses, bool dryRun = false, CancellationToken cancellationToken = default)
    {
        byte[] body = ClientJson.Body(("older_than", ClientRequests.Time(olderThan)), ("status", statuses), ("dry_run", dryRun));
        var total = new CleanupResult(0, 0, dryRun, More: true);
        while (total.More)
        {
            CleanupResult step = await SendAsync<CleanupResult>(
                new ClientRequest(HttpMethod.Post, _all + "/cleanup", body), cancellationToken).ConfigureAwait(false);
            total = new CleanupResult(total.Matched + step.Matched, total.Removed + step.Removed, dryRun, step.More);
            if (step.Removed == 0)
                break;
        }
        return total;
    }

    private async Task<T> SendAsync<T>(ClientRequest request, CancellationToken cancellationToken) =>
        ClientJson.Read<T>(await _requests.SendAsync(request, cancellationToken).ConfigureAwait(false));

    private async IAsyncEnumerable<T> PagesAsync<T>(
        string path, (string, object?)[] conditions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            string place = path + ClientRequests.Query([.. conditions, ("after", after)]);
            JsonElement page = await _requests.SendAsync(new ClientRequest(HttpMethod.Get, place), cancellationToken).ConfigureAwait(false);
            foreach (JsonElement item in ClientJson.Member(page, "items").EnumerateArray())
                yield return ClientJson.Read<T>(item);
            after = page.TryGetProperty("next", out JsonElement next) ? next.ToString() : null;
        }
        while (after is not null);
    }

    /// <summary>The namespace's metrics stand where an execution of that name would; encoded, it is reached.</summary>
    private string Path(string executionId, params ReadOnlySpan<string> more)
    {
        string path = $"{_all}/{(executionId == "metrics" ? "%6Detrics" : ClientRequests.Segment(nameof(executionId), executionId))}";
        foreach (string segment in more)
            path += "/" + ClientRequests.Segment("name", segment);
        return path;
    }

    private byte[] StateText<T>(T state) => JsonSerializer.SerializeToUtf8Bytes(state, state?.GetType() ?? typeof(T), _options.State);

    private static string Number(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string NewKey() => Guid.NewGuid().ToString("N");
}
