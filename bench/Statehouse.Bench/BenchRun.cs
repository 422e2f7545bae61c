using Statehouse.Bench.Figures;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Peers;

namespace Statehouse.Bench;

/// <summary>One invocation: the machine, the load's own ceiling, the figures, the sum.</summary>
internal static class BenchRun
{
    public const int Failed = 1;

    /// <returns>0, or 1 where a figure failed or one that was asked for by name cannot be had here.</returns>
    public static async Task<int> RunAsync(BenchOptions options, TextWriter output)
    {
        await using StreamWriter? json = options.Json is null ? null : new StreamWriter(options.Json, append: false);
        var results = new Results(output, json, judges: !options.IsQuick);
        await using var host = new BenchHost(options, results);
        await Machine.DescribeAsync(results, options, host.Folder);
        if (options.IsQuick)
            results.SayFact("quick        a smoke run on little data: its numbers mean nothing");
        results.Say("");
        var bad = new List<string>();
        foreach (IFigure figure in Chosen(options))
            await RunAsync(figure, host, bad);
        results.Sum();
        foreach (string each in bad)
            results.Say(each);
        if (options.ResultsFile is { } file)
        {
            (string part, string title) = options.Peers is null ? ("figures", "Figures") : ("peers", "Statehouse beside other stores");
            await ResultsDocument.WriteAsync(file, part, ResultsDocument.Render(title, options.Command, TimeProvider.System.GetUtcNow(), results, bad));
        }
        return bad.Count == 0 ? 0 : Failed;
    }

    private static IEnumerable<IFigure> Chosen(BenchOptions options) => options.Peers is null
        ? [FigureCatalog.Ceiling, .. FigureCatalog.All.Where(figure => options.Only.Count == 0 || options.Only.Contains(figure.Id))]
        : [FigureCatalog.Ceiling, .. FigureCatalog.All.Where(figure => options.Only.Contains(figure.Id)), new PeersFigure()];

    private static async Task RunAsync(IFigure figure, BenchHost host, List<string> bad)
    {
        try
        {
            await figure.RunAsync(host);
        }
        catch (MissingHere missing)
        {
            host.Results.Say($"{figure.Id,-12} SKIPPED: {missing.Message}");
            if (host.Options.Only.Contains(figure.Id))
                bad.Add($"SKIPPED although asked for: {figure.Id}: {missing.Message}");
        }
        catch (Exception failure)
        {
            // The other figures still count; this one is named again in the end, and the exit code says so.
            host.Results.Say($"{figure.Id,-12} FAILED: {(failure is BenchFailure ? failure.Message : failure)}");
            bad.Add($"FAILED: {figure.Id}: {failure.Message}");
        }
    }
}
