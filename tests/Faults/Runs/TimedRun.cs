using System.Globalization;
using Statehouse.Testing;

namespace Statehouse.Faults.Runs;

/// <summary>The run of a configuration that is part of the tests, as the environment has it.</summary>
public static class TimedRun
{
    /// <summary>Names the seed; random where it is not set.</summary>
    public const string SeedVariable = "STATEHOUSE_TEST_SEED";

    /// <summary>Names how long clients work, in minutes; 3 where it is not set.</summary>
    public const string MinutesVariable = "STATEHOUSE_TEST_FAULT_MINUTES";

    private const double MinutesDefault = 3;

    /// <summary>Of all timed runs of this process.</summary>
    public static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), NumberStyles.Integer, CultureInfo.InvariantCulture, out int seed) ? seed : Random.Shared.Next();

    public static TimeSpan Duration { get; } = TimeSpan.FromMinutes(
        double.TryParse(Environment.GetEnvironmentVariable(MinutesVariable), NumberStyles.Float, CultureInfo.InvariantCulture, out double minutes) ? minutes : MinutesDefault);

    /// <summary>Makes the run; its report is left in <c>artifacts/faults/CONFIG.md</c>.</summary>
    /// <param name="config">Which configuration.</param>
    /// <param name="systems">Knows it.</param>
    /// <param name="cancellationToken">Ends it without a verdict.</param>
    public static async Task<RunReport> RunAsync(string config, SystemCatalog systems, CancellationToken cancellationToken)
    {
        await using var session = new RunSession(new RunRequest(config, Seed, Duration), systems);
        RunReport report = await session.RunAsync(Console.Error, cancellationToken);
        string folder = Directory.CreateDirectory(Repository.PathOf("artifacts/faults")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, config + ".md"), ReportText.Of(report), cancellationToken);
        return report;
    }

    /// <summary>Why a run may not pass for one that showed something; null where it may.</summary>
    /// <param name="report">Of a run that found nothing.</param>
    public static string? TooLittle(RunReport report)
    {
        List<string> faults = [.. report.Schedule.Where(fault => fault.IsDone).Select(fault => fault.Plan.Fault).Distinct()];
        long acknowledged = report.Calls.Where(count => count.Outcome == History.Outcome.Ok).Sum(count => count.Count);
        // A tenth of what a slow and busy machine did.
        double leastPerSecond = 2;
        if (acknowledged < leastPerSecond * report.Options.Duration.TotalSeconds)
            return $"only {acknowledged} operations succeeded";
        if (report.Options.Duration >= TimeSpan.FromMinutes(1) && faults.Count < 3)
            return $"only these faults were done: {string.Join(", ", faults)}";
        return report.Workloads.FirstOrDefault(workload => !report.Calls.Any(count => count.Workload == workload && count.Outcome == History.Outcome.Ok)) is { } idle
            ? $"nothing of the workload {idle} succeeded"
            : null;
    }
}
