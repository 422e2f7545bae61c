using System.CommandLine;

namespace Statehouse.Faults.Runs;

/// <summary>The flags of <c>run</c>.</summary>
internal sealed class RunFlags
{
    private const int ClientsDefault = 4;

    private readonly IReadOnlyList<string> _systems;

    public RunFlags(IReadOnlyList<string> systems)
    {
        _systems = systems;
        Root = new RootCommand("Runs clients against a Statehouse of real processes while faults come, and checks what they were told.")
        {
            Config, Minutes, Seed, Clients, Faults, WorkloadNames, Report, Keep, List, Defect,
        };
    }

    public RootCommand Root { get; }

    public Option<string> Config { get; } = new("--config") { Description = "sqlite, postgres or cluster", Required = true };

    public Option<double> Minutes { get; } = new("--minutes") { Description = "how long clients work", DefaultValueFactory = static _ => 3 };

    public Option<int> Seed { get; } = new("--seed") { Description = "default: a random one, which is printed", DefaultValueFactory = static _ => Random.Shared.Next() };

    public Option<int> Clients { get; } = new("--clients") { Description = "per workload", DefaultValueFactory = static _ => ClientsDefault };

    public Option<string?> Faults { get; } = new("--faults") { Description = "names, with commas; default: all; none: none" };

    public Option<string?> WorkloadNames { get; } = new("--workloads") { Description = "names, with commas; default: all" };

    public Option<string?> Report { get; } = new("--report") { Description = "file for the report, Markdown, beside standard output" };

    public Option<bool> Keep { get; } = new("--keep") { Description = "keep history and output of a clean run too" };

    public Option<bool> List { get; } = new("--list") { Description = "print the schedule, and run nothing" };

    public Option<string?> Defect { get; } = new("--defect") { Description = "plant a defect in every server: it must be found" };

    /// <summary>What a value is wrong with; null = nothing.</summary>
    public string? Problem(ParseResult parsed)
    {
        string config = parsed.GetValue(Config)!;
        if (!_systems.Contains(config))
            return $"there is no configuration '{config}' here; there are: {string.Join(", ", _systems)}";
        if (parsed.GetValue(Minutes) is not (> 0 and <= 10_000))
            return $"--minutes takes a number from 0 to 10,000; this is {parsed.GetValue(Minutes)}";
        if (parsed.GetValue(Clients) is not (>= 1 and <= 1_000))
            return $"--clients takes a number from 1 to 1,000; this is {parsed.GetValue(Clients)}";
        return null;
    }

    public RunRequest Request(ParseResult parsed) =>
        new(parsed.GetValue(Config)!, parsed.GetValue(Seed), TimeSpan.FromMinutes(parsed.GetValue(Minutes)), parsed.GetValue(Clients))
        {
            Faults = Names(parsed.GetValue(Faults)),
            Workloads = Names(parsed.GetValue(WorkloadNames)),
            Defect = parsed.GetValue(Defect),
            IsKept = parsed.GetValue(Keep),
        };

    private static IReadOnlyList<string>? Names(string? list) =>
        list is null ? null : list == "none" ? [] : list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
