namespace Statehouse.LocalCluster;

/// <summary>Asks processes whether they can serve.</summary>
internal sealed class ReadinessProbe : IDisposable
{
    /// <summary>A gateway that waits for its journal answers within 2 s that it is not ready.</summary>
    private static readonly TimeSpan AnswerBound = TimeSpan.FromSeconds(3);

    private readonly HttpClient _http = LoopbackHttp.Create(AnswerBound);

    /// <returns>null where it is ready; else what it answered instead, or that it did not.</returns>
    public async Task<string?> WhyNotAsync(ProcessState process, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage answer = await _http.GetAsync(process.Http + "/readyz", cancellationToken);
            return answer.IsSuccessStatusCode
                ? null
                : $"HTTP {(int)answer.StatusCode} {LoopbackHttp.Shown(await answer.Content.ReadAsStringAsync(cancellationToken))}";
        }
        catch (HttpRequestException error)
        {
            return error.GetBaseException().Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {AnswerBound.TotalSeconds} s";
        }
    }

    public void Dispose() => _http.Dispose();
}
