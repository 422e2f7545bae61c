using System.Diagnostics;
using Statehouse.Faults.Tests.Crashes;

namespace Statehouse.Faults.Cluster.Tests.Crashes;

/// <summary>
/// Several scripts at once, each of which repeats a step until it is acknowledged: half of them through a gateway, half through a
/// process that is to die, until it has, and then through the gateway too.
/// </summary>
internal sealed class ClusterLoad
{
    private static readonly TimeSpan StepBound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http;
    private readonly HttpClient _mortal;
    private readonly StepScript[] _scripts;
    private readonly CancellationTokenSource _enough = new();
    private readonly Task[] _running;

    /// <param name="http">The gateway.</param>
    /// <param name="mortal">The process that is to die; it hosts agents too.</param>
    /// <param name="prefix">Of the scripts' namespaces; no other load's.</param>
    /// <param name="scripts">How many: of three agents each, so that every silo has some.</param>
    public ClusterLoad(HttpClient http, Uri mortal, string prefix, int scripts)
    {
        _http = http;
        _mortal = new HttpClient { BaseAddress = mortal, Timeout = http.Timeout };
        _scripts = [.. Enumerable.Range(0, scripts).Select(i => new StepScript($"{prefix}-{i}"))];
        _running = [.. _scripts.Select((script, i) => Task.Run(() => RunAsync(script, i % 2 == 0 ? http : _mortal)))];
    }

    /// <summary>Waits until each script has come so many steps further.</summary>
    public async Task AdvanceAsync(int steps)
    {
        int[] wanted = [.. _scripts.Select(script => script.Next.Number + steps)];
        long began = Stopwatch.GetTimestamp();
        while (_scripts.Where((script, i) => script.Next.Number < wanted[i]).Any())
        {
            if (Array.Find(_running, task => task.IsFaulted) is { } failed)
                await failed;
            if (Stopwatch.GetElapsedTime(began) >= StepBound * 2)
                Assert.Fail($"The callers did not go on within {StepBound * 2}.");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Ends it, and holds everything that is there against what was told.</summary>
    public async Task EndAsync()
    {
        await _enough.CancelAsync();
        await Task.WhenAll(_running);
        _mortal.Dispose();
        foreach (StepScript script in _scripts)
        {
            StepAudit audit = await StepAudit.OfAsync(_http, script, TestContext.Current.CancellationToken);
            Assert.All(script.Acknowledged.Keys, number => Assert.Equal(1, audit.CountOf(new Step(number, script.Namespace))));
        }
    }

    private async Task RunAsync(StepScript script, HttpClient http)
    {
        while (!_enough.IsCancellationRequested)
        {
            Step step = script.Next;
            long began = Stopwatch.GetTimestamp();
            while (!await script.TryAsync(http, step, TestContext.Current.CancellationToken))
            {
                Assert.True(Stopwatch.GetElapsedTime(began) < StepBound, $"Step {step.Number} of {step.Namespace} was not acknowledged within {StepBound}.");
                http = _http;
                await Task.Delay(Pause, TestContext.Current.CancellationToken);
            }
        }
    }
}
