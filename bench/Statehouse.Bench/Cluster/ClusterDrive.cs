using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Statehouse.Bench.Load;

namespace Statehouse.Bench.Cluster;

/// <param name="Gateways">HTTP addresses; connections are spread over them.</param>
/// <param name="Agents">Agents written, in turn.</param>
/// <param name="Connections">Each sends one request at a time.</param>
/// <param name="Duration">How long.</param>
/// <param name="ValueBytes">Bytes of each value's JSON text.</param>
internal sealed record ClusterDriveOptions(IReadOnlyList<IPEndPoint> Gateways, int Agents, int Connections, TimeSpan Duration, int ValueBytes);

/// <param name="Acknowledged">Commits.</param>
/// <param name="LongestOutage">The longest that a commit took from its first sending to its acknowledgement.</param>
/// <param name="Lost">Acknowledged commits that are not in their agent's history.</param>
/// <param name="Doubled">Commits that are there more than once.</param>
/// <param name="GivenUp">Commits that were not acknowledged within 30 s after the end.</param>
/// <param name="NamesItsErrors">Every error was a broken connection or a code that says that repeating helps.</param>
internal sealed record ClusterDriveOutcome(int Acknowledged, TimeSpan LongestOutage, int Lost, int Doubled, int GivenUp, bool NamesItsErrors)
{
    public bool IsRight => Acknowledged > 0 && Lost == 0 && Doubled == 0 && GivenUp == 0 && NamesItsErrors;
}

/// <summary>
/// Writes through gateways while something else happens to the cluster, and then reads back whether every acknowledged
/// commit is there exactly once. Every commit carries an idempotency key of its own, and is sent once more, with the same
/// key, where the first answer was an error that says so.
/// </summary>
internal sealed class ClusterDrive(ClusterDriveOptions options)
{
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly ConcurrentDictionary<string, int> _errors = new();
    private readonly ConcurrentBag<double> _milliseconds = [];
    private readonly ConcurrentBag<(int Agent, string Key)> _acknowledged = [];
    private double _longestOutage;
    private int _next;
    private int _retried;
    private int _curedByOneRetry;
    private int _givenUp;

    /// <summary>Writes, reads back, and says what it saw.</summary>
    public async Task<ClusterDriveOutcome> RunAsync(TextWriter output)
    {
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, options.Connections).Select(worker => Task.Run(() => WriteAsync(worker, began))));
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        double[] sorted = [.. _milliseconds.Order()];
        output.WriteLine(
            $"{_acknowledged.Count} commits acknowledged in {seconds:0.0} s: {_acknowledged.Count / seconds:0} per s over {options.Connections} connections and " +
            $"{options.Gateways.Count} gateways, {options.Agents} agents, {options.ValueBytes} B; p50 {Percentile(sorted, 50):0.0} ms, p99 {Percentile(sorted, 99):0.0} ms");
        output.WriteLine($"errors at first: {(_errors.IsEmpty ? "none" : string.Join(", ", _errors.OrderBy(each => each.Key).Select(each => $"{each.Key} × {each.Value}")))}");
        output.WriteLine($"sent again: {_retried}, of which one repeat was enough for {_curedByOneRetry}; never acknowledged: {_givenUp}");
        output.WriteLine($"longest time that an agent did not answer: {_longestOutage:0.0} s");
        (int lost, int doubled) = await VerifyAsync();
        output.WriteLine($"read back: {lost} acknowledged commits lost, {doubled} doubled");
        bool namesItsErrors = _errors.Keys.All(error => error.StartsWith("SH-2", StringComparison.Ordinal) || error == "connection");
        return new ClusterDriveOutcome(_acknowledged.Count, TimeSpan.FromSeconds(_longestOutage), lost, doubled, _givenUp, namesItsErrors);
    }

    private async Task WriteAsync(int worker, long began)
    {
        await using var connection = new HttpConnection(options.Gateways[worker % options.Gateways.Count]);
        string value = new('v', Math.Max(0, options.ValueBytes - 2));
        while (Stopwatch.GetElapsedTime(began) < options.Duration)
        {
            int number = Interlocked.Increment(ref _next);
            int agent = (int)((uint)number % (uint)options.Agents);
            string key = string.Create(CultureInfo.InvariantCulture, $"{_run}-{number}");
            byte[] body = Encoding.ASCII.GetBytes($"\"{value}\"");
            long sent = Stopwatch.GetTimestamp();
            for (int attempt = 1; ; attempt++)
            {
                string? error = await PutAsync(connection, agent, key, body);
                if (error is null)
                {
                    OnAcknowledged(agent, key, sent, attempt);
                    break;
                }
                _errors.AddOrUpdate(attempt == 1 ? error : $"{error} again", 1, static (_, count) => count + 1);
                if (attempt == 1)
                    Interlocked.Increment(ref _retried);
                if (Stopwatch.GetElapsedTime(began) > options.Duration + TimeSpan.FromSeconds(30))
                {
                    Interlocked.Increment(ref _givenUp);
                    break;
                }
                await Task.Delay(TimeSpan.FromMilliseconds(100 * attempt));
            }
        }
    }

    private void OnAcknowledged(int agent, string key, long sent, int attempt)
    {
        _acknowledged.Add((agent, key));
        double milliseconds = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
        _milliseconds.Add(milliseconds);
        if (attempt == 2)
            Interlocked.Increment(ref _curedByOneRetry);
        double seconds = milliseconds / 1000;
        double seen = Volatile.Read(ref _longestOutage);
        while (seconds > seen && Interlocked.CompareExchange(ref _longestOutage, seconds, seen) is var before && before != seen)
            seen = before;
    }

    /// <returns>null when acknowledged; otherwise the error's code, or what went wrong below it.</returns>
    private async Task<string?> PutAsync(HttpConnection connection, int agent, string key, byte[] body)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            HttpReply reply = await connection.SendAsync("PUT", $"{PathOf(agent)}/state/step", $"Idempotency-Key: {key}\r\n", body, patience.Token);
            return reply.Status is >= 200 and < 300 ? null : CodeOf(reply);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            return "connection";
        }
        catch (OperationCanceledException)
        {
            return "no answer in 30 s";
        }
    }

    /// <summary>Reads every agent's history: each acknowledged key must be there once, and no key twice.</summary>
    private async Task<(int Lost, int Doubled)> VerifyAsync()
    {
        int lost = 0;
        int doubled = 0;
        var byAgent = _acknowledged.ToLookup(each => each.Agent, each => each.Key);
        await using var connection = new HttpConnection(options.Gateways[0]);
        for (int agent = 0; agent < options.Agents; agent++)
        {
            var seen = new HashSet<string>();
            long from = 1;
            for (bool more = byAgent.Contains(agent); more;)
            {
                HttpReply reply = await connection.SendAsync("GET", string.Create(CultureInfo.InvariantCulture, $"{PathOf(agent)}/commits?from={from}&limit=1000"), null, null, default);
                if (reply.Status != 200)
                    throw new InvalidOperationException($"The history of agent {agent} was answered with {reply.Status}: {Encoding.UTF8.GetString(reply.Body.Span)}");
                using JsonDocument page = JsonDocument.Parse(reply.Body);
                foreach (JsonElement commit in page.RootElement.GetProperty("items").EnumerateArray())
                {
                    from = commit.GetProperty("version").GetInt64() + 1;
                    if (!seen.Add(commit.GetProperty("idempotency_key").GetString()!))
                        doubled++;
                }
                more = page.RootElement.TryGetProperty("next", out _);
            }
            lost += byAgent[agent].Count(key => !seen.Contains(key));
        }
        return (lost, doubled);
    }

    private string PathOf(int agent) => string.Create(CultureInfo.InvariantCulture, $"/v1/namespaces/bench-{_run}/agents/agent-{agent}");

    private static string CodeOf(HttpReply reply)
    {
        using JsonDocument problem = JsonDocument.Parse(reply.Body);
        return problem.RootElement.TryGetProperty("code", out JsonElement code) ? code.GetString()! : $"HTTP {reply.Status} without a code";
    }

    private static double Percentile(double[] sorted, int percent) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, sorted.Length * percent / 100)];
}
