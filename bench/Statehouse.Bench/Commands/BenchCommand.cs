using System.CommandLine;
using System.CommandLine.Parsing;
using Statehouse.Bench.Figures;
using Statehouse.Bench.Peers;
using Statehouse.Testing;

namespace Statehouse.Bench.Commands;

/// <summary>The command without a name: the figures.</summary>
internal static class BenchCommand
{
    public const int Usage = 2;

    private const int SeedDefault = 20260101;

    public static RootCommand Build()
    {
        var quick = new Option<bool>("--quick") { Description = "a smoke run: every figure in a few seconds, on little data" };
        var only = new Option<string[]>("--only") { Description = "ids of figures, parted by commas", DefaultValueFactory = _ => [], CustomParser = result => Named(result, FigureCatalog.Ids, "figure") };
        var json = new Option<string?>("--json") { Description = "file that gets one JSON object a line", HelpName = "FILE" };
        var charts = new Option<string?>("--charts") { Description = "folder of the growth curves", HelpName = "DIR" };
        Option<double?> seconds = Positive<double?>("--seconds", "measured time of one run", value => value is > 0 and <= 3600);
        Option<int?> runs = Positive<int?>("--runs", "measured runs of each case", value => value is > 0 and <= 1000);
        var seed = new Option<int>("--seed") { Description = "of values, choices and arrivals", DefaultValueFactory = _ => SeedDefault };
        var peers = new Option<string[]?>("--peers")
        {
            Description = "measures other stores beside Statehouse, all or those named, and nothing else but what --only names",
            HelpName = "NAMES", Arity = ArgumentArity.ZeroOrOne, CustomParser = result => Named(result, PeerCatalog.Ids, "peer"),
        };
        var document = new Option<string?>("--results") { Description = "Markdown file whose part about this run is written anew", HelpName = "FILE" };
        var list = new Option<bool>("--list") { Description = "names the figures and ends" };
        var silo = new Option<string>("--silo-program") { DefaultValueFactory = _ => Repository.PathOf("src/Silo/bin/Release/net10.0/Statehouse.Silo.dll"), Hidden = true };
        var missing = new Option<string?>("--missing-packages") { Hidden = true };
        var root = new RootCommand("Measures Statehouse: figures F1 to F10, which have goals, and workloads beside them.") { quick, only, peers, json, document, charts, seconds, runs, seed, list, silo, missing };
        root.SetAction(parsed => parsed.GetValue(list) ? List(Console.Out) : BenchRun.RunAsync(
            new BenchOptions(
                parsed.GetValue(quick), parsed.GetValue(only)!, parsed.GetValue(json), parsed.GetValue(charts) ?? Charts(parsed.GetValue(quick)),
                parsed.GetValue(seed), parsed.GetValue(silo)!, parsed.GetValue(missing))
            {
                Seconds = parsed.GetValue(seconds),
                Runs = parsed.GetValue(runs),
                Peers = parsed.GetResult(peers) is { Implicit: false } ? parsed.GetValue(peers) ?? [] : null,
                ResultsFile = parsed.GetValue(document),
                Command = Typed(parsed, silo, missing),
            },
            Console.Out));
        return root;
    }

    /// <summary>Curves of a smoke run do not belong among results.</summary>
    private static string Charts(bool isQuick) => Repository.PathOf(isQuick ? "artifacts/bench" : "bench/results");

    private static Task<int> List(TextWriter output)
    {
        foreach (IFigure figure in FigureCatalog.All)
            output.WriteLine($"{figure.Id,-15} {figure.What}");
        output.WriteLine($"{"--peers",-15} Statehouse beside other stores: {string.Join(", ", PeerCatalog.Ids)}");
        return Task.FromResult(0);
    }

    private static string[] Named(ArgumentResult result, IReadOnlyList<string> known, string what)
    {
        string[] ids = [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        if (ids.FirstOrDefault(id => !known.Contains(id)) is { } unknown)
            result.AddError($"there is no {what} '{unknown}'; there are {string.Join(", ", known)}");
        return ids;
    }

    /// <summary>The command as its user typed it: what the script added is left out.</summary>
    private static string Typed(ParseResult parsed, params Option[] hidden)
    {
        var left = parsed.Tokens.Select(token => token.Value).ToList();
        foreach (Option option in hidden)
        {
            if (left.IndexOf(option.Name) is >= 0 and int at)
                left.RemoveRange(at, 2);
        }
        return string.Join(' ', left.Prepend("./statehouse bench"));
    }

    private static Option<T> Positive<T>(string name, string description, Func<T?, bool> isAllowed)
    {
        var option = new Option<T>(name) { Description = description };
        option.Validators.Add(result =>
        {
            if (!isAllowed(result.GetValueOrDefault<T>()))
                result.AddError($"{name} must be above 0");
        });
        return option;
    }
}

/// <summary><c>noop</c>: the endpoint that the load's own ceiling is measured against. Started by the figures.</summary>
internal static class NoopCommand
{
    public static Command Build()
    {
        var folder = new Option<string?>("--folder") { Description = "the run that it belongs to: ended with it" };
        var command = new Command("noop", "Serves the no-op endpoint until it is ended.") { folder };
        command.Hidden = true;
        command.SetAction((_, ending) => Load.NoopServer.RunAsync(Console.Out, ending));
        return command;
    }
}
