using System.Net;
using System.Text;

namespace Statehouse.LocalCluster;

/// <summary>
/// Writes a key of some agents through each gateway, and reads it back: so many that, spread at random, each silo holds
/// some of them. They live in a namespace of their own and stay there, a commit an agent and run.
/// </summary>
/// <param name="clusterId">Part of what is written: no older value can pass for it.</param>
/// <param name="silos">That run now.</param>
internal sealed class AgentProbe(string clusterId, int silos) : IDisposable
{
    public const string Namespace = "_cluster_probe";

    /// <summary>With 16 agents a silo, the chance that one of 3 silos holds none is below 1 in 10 million.</summary>
    private const int AgentsPerSilo = 16;

    private const int AtOnce = 8;

    private static readonly TimeSpan AnswerBound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http = LoopbackHttp.Create(AnswerBound);

    /// <summary>Asks until all answer.</summary>
    /// <param name="gateways">One after the other: two would write the same agents' key at once.</param>
    /// <param name="ending">Gives up.</param>
    /// <exception cref="ClusterFailure">Refused for good, or given up; says what answered last.</exception>
    public async Task RunAsync(IEnumerable<ProcessState> gateways, CancellationToken ending)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = CancellationToken.None };
        foreach (ProcessState gateway in gateways)
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(1, silos * AgentsPerSilo), options,
                async (number, stopped) =>
                {
                    using var either = CancellationTokenSource.CreateLinkedTokenSource(ending, stopped);
                    await RunAsync(gateway, number, either.Token);
                });
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task RunAsync(ProcessState gateway, int agent, CancellationToken ending)
    {
        string address = $"{gateway.Http}/v1/namespaces/{Namespace}/agents/probe-{agent}/state/probe";
        string value = $$"""{"cluster":"{{clusterId}}","gateway":{{gateway.Number}}}""";
        string lastAnswer = "none yet";
        try
        {
            while (await TryAsync(address, value, ending) is { } answer)
            {
                lastAnswer = answer;
                await Task.Delay(RetryDelay, ending);
            }
        }
        catch (OperationCanceledException error)
        {
            throw new ClusterFailure(
                $"agent probe-{agent} of namespace {Namespace} does not answer through {gateway} ({gateway.Http}); its last answer: {lastAnswer}",
                inner: error);
        }
    }

    /// <returns>null where it answered; else what was answered instead, to be asked again.</returns>
    private async Task<string?> TryAsync(string address, string value, CancellationToken ending)
    {
        try
        {
            using var body = new StringContent(value, Encoding.UTF8, "application/json");
            using HttpResponseMessage written = await _http.PutAsync(address, body, ending);
            if (!written.IsSuccessStatusCode)
                return await ProblemAsync("PUT", written, ending);
            using HttpResponseMessage read = await _http.GetAsync(address, ending);
            if (!read.IsSuccessStatusCode)
                return await ProblemAsync("GET", read, ending);
            string text = await read.Content.ReadAsStringAsync(ending);
            return text.Contains(value, StringComparison.Ordinal)
                ? null
                : throw new ClusterFailure($"{address} was written {value} and reads {LoopbackHttp.Shown(text)}");
        }
        catch (HttpRequestException error)
        {
            return error.GetBaseException().Message;
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            return $"none within {AnswerBound.TotalSeconds} s";
        }
    }

    private static async Task<string> ProblemAsync(string method, HttpResponseMessage answer, CancellationToken ending)
    {
        string problem = $"{method}: HTTP {(int)answer.StatusCode} {LoopbackHttp.Shown(await answer.Content.ReadAsStringAsync(ending))}";
        bool mayPassLater = (int)answer.StatusCode >= 500 || answer.StatusCode == HttpStatusCode.TooManyRequests;
        return mayPassLater ? problem : throw new ClusterFailure($"{answer.RequestMessage!.RequestUri} refuses: {problem}");
    }
}
