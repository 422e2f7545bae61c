using System.Globalization;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Measuring;

/// <summary>
/// One case on one target, between its preparation and its report. Its runs may lie apart, with runs of other targets between
/// them: processor time is counted during its own runs only.
/// </summary>
internal sealed class OpenedCase : IAsyncDisposable
{
    private const double MegaByte = 1_000_000;

    private readonly CaseRunner _runner;
    private readonly LoadCase _load;
    private readonly ITarget _target;
    private readonly List<LoadOutcome> _outcomes = [];
    private readonly double[] _targetCpu;
    private ISession[] _sessions = [];
    private double _loadCpu;
    private long? _diskBefore;

    public OpenedCase(CaseRunner runner, LoadCase load)
    {
        (_runner, _load, _target) = (runner, load, runner.Target);
        _targetCpu = new double[_target.Processes.Count];
        Name = load.Name ?? NameOf();
    }

    public string Name { get; }

    /// <summary>Requests per second of each run so far.</summary>
    public IEnumerable<double> Rates => _outcomes.Select(each => each.Requests / each.Elapsed.TotalSeconds);

    public async Task ConnectAsync() => _sessions = await _runner.ConnectAsync(_load.Shape.InFlight);

    public async Task DisconnectAsync()
    {
        foreach (ISession session in _sessions)
            await session.DisposeAsync();
        _sessions = [];
    }

    public ValueTask DisposeAsync() => new(DisconnectAsync());

    /// <summary>Not measured, but its commits count.</summary>
    public Task WarmUpAsync(TimeSpan duration) => _runner.RunOnceAsync(_sessions, _load, duration, Name);

    /// <summary>One measured run.</summary>
    /// <exception cref="BenchFailure">A request failed, or before the first run the store does not hold what was acknowledged.</exception>
    public async Task RunAsync(TimeSpan duration)
    {
        if (_diskBefore is null)
        {
            await _runner.VerifyAsync(Name);
            _diskBefore = await _target.DiskBytesAsync(CancellationToken.None);
            ForgetPeaks();
        }
        double[] cpu = Cpu();
        double loadCpu = LoadCpu();
        _outcomes.Add(await _runner.RunOnceAsync(_sessions, _load, duration, Name));
        _loadCpu += LoadCpu() - loadCpu;
        double[] after = Cpu();
        for (int i = 0; i < after.Length; i++)
            _targetCpu[i] += after[i] - cpu[i];
    }

    /// <summary>Says what the runs came to.</summary>
    /// <returns>The rate.</returns>
    /// <exception cref="BenchFailure">The store does not hold what was acknowledged.</exception>
    public async Task<CaseResult> ReportAsync()
    {
        double peakBytes = Servers.Sum(process => ProcessWatch.PeakBytes(process.Id));
        await _runner.VerifyAsync(Name);
        long diskBytes = await _target.DiskBytesAsync(CancellationToken.None) - _diskBefore!.Value;
        var all = new LoadOutcome();
        foreach (LoadOutcome outcome in _outcomes)
            all.Merge(outcome);
        CaseResult rate = CaseResult.Of(_runner.Figure, Name, _load.Workload.Unit, Rates, all.Latencies);
        Results results = _runner.Host.Results;
        results.Add(rate, _load.Goal, Remark(all, rate.Median));
        // Where there are reads beside the commits, a commit's share of the work cannot be told.
        (long per, string what) = all.Commits >= all.Requests ? (all.Commits, "commits") : (all.Requests, "requests");
        if (_target.Processes.Count > 0)
            Add($"CPU s per 1,000 {what}", _targetCpu.Sum() * 1000 / per, CpuShares(per));
        if (all.Commits > 0 && diskBytes > 0)
            Add("bytes on disk per commit", (double)diskBytes / all.Commits);
        if (Servers.Any())
            Add("MB of memory at most", peakBytes / MegaByte);
        await results.Output.FlushAsync();
        return rate;
    }

    private void Add(string unit, double value, string? remark = null) =>
        _runner.Host.Results.Add(CaseResult.Of(_runner.Figure, Name, unit, [value]), null, remark);

    private IEnumerable<WatchedProcess> Servers => _target.Processes.Where(process => !process.IsDatabase);

    private bool IsInProcess => _target.Processes.Any(process => process.Id == Environment.ProcessId);

    private void ForgetPeaks()
    {
        // What earlier figures left in this process's heap is no part of this one.
        if (IsInProcess)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        foreach (WatchedProcess process in Servers)
            ProcessWatch.ForgetPeak(process.Id);
    }

    private double[] Cpu() => [.. _target.Processes.Select(ProcessWatch.CpuSeconds)];

    /// <summary>In process, the load is part of the server's.</summary>
    private string? CpuShares(long per)
    {
        IEnumerable<string> shares = _target.Processes.Zip(
            _targetCpu, (process, seconds) => $"{(process.IsDatabase ? "database" : "server")} {Results.Number(seconds * 1000 / per)}");
        if (_target is ILoadsItself)
            return $"{string.Join(", ", shares)}; its client's is not counted";
        if (!IsInProcess)
            return string.Join(", ", shares.Append($"and the load {Results.Number(_loadCpu * 1000 / per)} beside it"));
        return _target.Processes.Count > 1 ? string.Join(", ", shares) : null;
    }

    private static double LoadCpu() => ProcessWatch.CpuSeconds(new WatchedProcess(Environment.ProcessId));

    private string NameOf() => string.Create(
        CultureInfo.InvariantCulture,
        $"{_target.Name}, {_load.Shape.InFlight} in flight{(_load.Shape.RatePerSecond is { } rate ? $", open loop at {rate:n0}/s" : "")}, {_load.Workload.Name}");

    private string? Remark(LoadOutcome all, double rate)
    {
        if (_load.Shape.IsOpen)
            return string.Create(CultureInfo.InvariantCulture, $"{100.0 * all.StartedLate / all.Requests:n1} % were due while all {_load.Shape.InFlight} were busy");
        string door = _target.Name.Split(',')[0];
        return _runner.Host.Ceilings.TryGetValue(door, out double ceiling)
            ? string.Create(CultureInfo.InvariantCulture, $"{100 * rate / ceiling:n0} % of the load's own ceiling")
            : null;
    }
}
