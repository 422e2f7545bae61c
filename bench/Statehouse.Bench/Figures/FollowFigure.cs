using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Figures;

/// <summary>
/// Subscribers of one agent's commits over SSE. The next commit is written when every subscriber has the last one, so a rate
/// here is one that all of them kept up with.
/// </summary>
internal sealed class FollowFigure : IFigure
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private TaskCompletionSource _all = new();
    private LatencyHistogram _latencies = new();
    private long _version;
    private int _waiting;
    private long _sent;

    public string Id => "follow";

    public string What => "1,000 subscribers of one agent over SSE: deliveries per second, and how late each is after its commit was sent";

    public async Task RunAsync(BenchHost host)
    {
        int subscribers = host.Scaled(1_000, 50);
        await using ServerTarget target = await ServerTarget.StartAsync(await host.NewPlaceAsync(JournalKind.Sqlite), Door.Http);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = s_patience };
        using var ending = new CancellationTokenSource();
        await using ISession writer = await target.ConnectAsync(CancellationToken.None);
        await CommitAsync(writer, subscribers: 0);
        var opened = new List<HttpResponseMessage>();
        for (int i = 0; i < subscribers; i++)
            opened.Add(await OpenAsync(http, target.Server.Http));
        Task[] followers = [.. opened.Select(response => Task.Run(() => FollowAsync(response, ending.Token)))];
        await MeasureAsync(host, writer, subscribers, $"{target.Name}, {subscribers:n0} subscribers of one agent", target.Server.ProcessId);
        await ending.CancelAsync();
        await Task.WhenAll(followers);
        long? found = await target.CrashAndCountAsync(CancellationToken.None);
        if (found != _version)
            throw new BenchFailure($"{Id}: {_version} commits were acknowledged, and {found} were there after the crash.");
    }

    private async Task MeasureAsync(BenchHost host, ISession writer, int subscribers, string name, int server)
    {
        await RunOnceAsync(host.Plan.WarmUp, writer, subscribers);
        _latencies = new LatencyHistogram();
        ProcessWatch.ForgetPeak(server);
        var rates = new List<double>();
        for (int run = 0; run < host.Plan.Runs; run++)
            rates.Add(await RunOnceAsync(host.Plan.Duration, writer, subscribers));
        host.Results.Add(CaseResult.Of(Id, name, "deliveries/s", rates, _latencies));
        host.Results.Add(CaseResult.Of(Id, name, "MB of memory at most", [ProcessWatch.PeakBytes(server) / 1e6]));
    }

    private async Task<double> RunOnceAsync(TimeSpan duration, ISession writer, int subscribers)
    {
        long began = Stopwatch.GetTimestamp();
        long deliveries = 0;
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            await CommitAsync(writer, subscribers);
            deliveries += subscribers;
        }
        return deliveries / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Writes one commit and waits until every subscriber has it.</summary>
    private async Task CommitAsync(ISession writer, int subscribers)
    {
        lock (_lock)
        {
            _all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting = subscribers;
            _version++;
            _sent = Stopwatch.GetTimestamp();
        }
        byte[] value = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"step\":{_version},\"status\":\"running\"}}"));
        await writer.AskAsync(new Request(RequestKind.Put, 0, 0, value), CancellationToken.None);
        if (subscribers == 0)
            return;
        try
        {
            await _all.Task.WaitAsync(s_patience);
        }
        catch (TimeoutException late)
        {
            throw new BenchFailure($"{Id}: {_waiting} of {subscribers} subscribers did not get commit {_version} within {s_patience.TotalSeconds} s.", late);
        }
    }

    private static async Task<HttpResponseMessage> OpenAsync(HttpClient http, IPEndPoint address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{address}{new AgentPaths().Agent(0)}/commits?from=2"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return response.EnsureSuccessStatusCode();
    }

    private async Task FollowAsync(HttpResponseMessage response, CancellationToken ending)
    {
        using (response)
        {
            try
            {
                using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(ending));
                while (await lines.ReadLineAsync(ending) is { } line)
                {
                    if (line.StartsWith("id: ", StringComparison.Ordinal))
                        OnDelivered(long.Parse(line.AsSpan(4), CultureInfo.InvariantCulture));
                }
                Fail("a stream ended by itself");
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                // The figure is done.
            }
            catch (IOException error)
            {
                Fail(error.Message);
            }
        }
    }

    private void OnDelivered(long version)
    {
        lock (_lock)
        {
            if (version != _version)
                Fail($"a subscriber got commit {version} while {_version} was written");
            _latencies.Record(Stopwatch.GetTimestamp() - _sent);
            if (--_waiting == 0)
                _all.SetResult();
        }
    }

    private void Fail(string why)
    {
        lock (_lock)
            _all.TrySetException(new BenchFailure($"{Id}: {why}."));
    }
}
