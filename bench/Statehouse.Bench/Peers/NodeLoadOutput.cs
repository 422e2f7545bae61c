using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Statehouse.Bench.Measuring;

namespace Statehouse.Bench.Peers;

/// <summary>The line of JSON that bench/peers/langgraph-load.mjs ends with.</summary>
/// <param name="Commits">Acknowledged, those of the warm-up included.</param>
/// <param name="Unmeasured">Of these, those of the warm-up.</param>
/// <param name="Seconds">Measured time, to the last answer.</param>
/// <param name="LatenciesUs">Pairs: a latency in microseconds, and how many requests took that.</param>
/// <param name="Error">The first failure; null where there was none.</param>
internal sealed record NodeLoadOutput(
    [property: JsonPropertyName("commits"), JsonRequired] long Commits,
    [property: JsonPropertyName("unmeasured"), JsonRequired] long Unmeasured,
    [property: JsonPropertyName("seconds"), JsonRequired] double Seconds,
    [property: JsonPropertyName("latencies_us"), JsonRequired] double[][] LatenciesUs,
    [property: JsonPropertyName("error")] string? Error)
{
    private const string Start = "{\"load\":";

    /// <param name="output">All that the program printed, warnings and all.</param>
    /// <exception cref="BenchFailure">The line is not there or not whole.</exception>
    public static NodeLoadOutput Parse(string output)
    {
        string line = output.Split('\n').LastOrDefault(each => each.StartsWith(Start, StringComparison.Ordinal))
            ?? throw new BenchFailure($"The load in Node did not say what came of it, but:\n{output}");
        try
        {
            NodeLoadOutput parsed = JsonSerializer.Deserialize<NodeLoadOutput>(line)!;
            return parsed.LatenciesUs.All(pair => pair.Length == 2)
                ? parsed
                : throw new BenchFailure($"The load in Node printed latencies that are no pairs:\n{line}");
        }
        catch (JsonException error)
        {
            throw new BenchFailure($"The load in Node printed what cannot be read:\n{line}", error);
        }
    }

    public LoadOutcome ToOutcome()
    {
        var outcome = new LoadOutcome { Elapsed = TimeSpan.FromSeconds(Seconds) };
        foreach (double[] pair in LatenciesUs)
            outcome.Latencies.Record((long)(pair[0] * Stopwatch.Frequency / 1_000_000), (long)pair[1]);
        outcome.OnUnmeasured(Commits);
        if (Error is not null)
            outcome.OnError(new InvalidOperationException(Error));
        return outcome;
    }
}
