namespace Statehouse.Bench.Figures;

/// <summary>One row of what is measured.</summary>
internal interface IFigure
{
    /// <summary>For <c>--only</c> and the JSON file: <c>F1</c> to <c>F10</c> have goals (bench/README.md), words are the workloads beside them.</summary>
    string Id { get; }

    /// <summary>One line for <c>--list</c>.</summary>
    string What { get; }

    /// <summary>Starts what it needs, measures, reports to <see cref="BenchHost.Results"/>, and ends what it started.</summary>
    /// <exception cref="Measuring.BenchFailure">A request failed or a commit is missing.</exception>
    /// <exception cref="Measuring.MissingHere">This machine lacks something that it needs.</exception>
    Task RunAsync(BenchHost host);
}

/// <summary>All figures, in the order in which they run.</summary>
internal static class FigureCatalog
{
    public static IReadOnlyList<IFigure> All { get; } =
    [
        CommitFigures.F1, CommitFigures.F2, CommitFigures.F3, CommitFigures.F4, CommitFigures.F5, CommitFigures.F6,
        new ReplayFigure(), new StartFigure(), new LoadAgentFigure(), new SiloKillFigure(),
        CommitFigures.Agents, CommitFigures.Sizes, CommitFigures.Mixed, CommitFigures.Scans, new FollowFigure(),
        CommitFigures.Transactions, CommitFigures.OpenLoop,
        new AgentsGrowthFigure(), new CommitsGrowthFigure(), new KeysGrowthFigure(),
    ];

    public static IReadOnlyList<string> Ids { get; } = [.. All.Select(figure => figure.Id)];

    /// <summary>Always first, and not a figure to choose: what the load itself can do.</summary>
    public static IFigure Ceiling { get; } = new CeilingFigure();
}
