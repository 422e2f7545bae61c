using System.Text;
using System.Text.Json;

namespace Statehouse.Faults.Tests.Crashes;

/// <summary>Makes steps one after the other, and keeps what was answered.</summary>
/// <param name="namespace">All its agents'.</param>
internal sealed class StepScript(string @namespace)
{
    private readonly Dictionary<int, IReadOnlyList<StepReceipt>> _acknowledged = [];

    // The highest number that was tried; read by others while the script runs.
    private volatile int _last;

    public string Namespace => @namespace;

    /// <summary>By the steps' numbers.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<StepReceipt>> Acknowledged => _acknowledged;

    /// <summary>The steps that had no answer, or one that leaves their outcome open, and were not acknowledged since.</summary>
    public HashSet<int> Unknown { get; } = [];

    /// <summary>The step that comes next.</summary>
    public Step Next => new(_last + 1, @namespace);

    /// <summary>Goes on until a step is not acknowledged.</summary>
    /// <param name="http">The server.</param>
    /// <param name="most">Steps; then it is an error that all were acknowledged.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The step without an answer.</returns>
    public async Task<Step> RunUntilLostAsync(HttpClient http, int most, CancellationToken cancellationToken)
    {
        for (int i = 0; i < most; i++)
        {
            Step step = Next;
            if (!await TryAsync(http, step, cancellationToken))
                return step;
        }
        throw new InvalidOperationException($"All of {most} steps were acknowledged: the crash point was not reached.");
    }

    public async Task RunAsync(HttpClient http, int steps, CancellationToken cancellationToken)
    {
        for (int i = 0; i < steps; i++)
            Assert.True(await TryAsync(http, Next, cancellationToken), $"Step {Next.Number} was not acknowledged.");
    }

    /// <returns>False where there was no answer, or one that asks to try again.</returns>
    public async Task<bool> TryAsync(HttpClient http, Step step, CancellationToken cancellationToken)
    {
        Unknown.Add(step.Number);
        _last = Math.Max(_last, step.Number);
        try
        {
            using HttpResponseMessage response = await http.PostAsync(step.Path, new StringContent(step.Body, Encoding.UTF8, "application/json"), cancellationToken);
            string text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                // 429 and one of the two 503: nothing was written, and it may be tried again; the other 503: unknown.
                Assert.True((int)response.StatusCode is 503 or 429, $"Step {step.Number} was refused: {text}");
                return false;
            }
            _acknowledged[step.Number] = Receipts(step, text);
            Unknown.Remove(step.Number);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static IReadOnlyList<StepReceipt> Receipts(Step step, string text)
    {
        using JsonDocument json = JsonDocument.Parse(text);
        return step.IsTogether
            ? [.. json.RootElement.GetProperty("receipts").EnumerateArray().Select(each => Receipt(each.GetProperty("agent").GetString()!, each))]
            : [Receipt(Step.Single, json.RootElement)];
    }

    private static StepReceipt Receipt(string agent, JsonElement json) => new(
        agent, json.GetProperty("version").GetInt64(), json.GetProperty("commit_ts").GetInt64(), json.GetProperty("txn_id").GetString()!,
        json.GetProperty("hash").GetString()!);
}
