using Statehouse.Faults.Systems;
using Statehouse.Faults.Workloads;
using Statehouse.Testing;

namespace Statehouse.Faults.Runs;

/// <summary>What is asked for: a run of a configuration.</summary>
/// <param name="Config">sqlite, postgres or cluster.</param>
/// <param name="Seed">The schedule and what clients do come from it.</param>
/// <param name="Duration">How long clients work.</param>
/// <param name="ClientsPerWorkload">1 or more.</param>
public sealed record RunRequest(string Config, int Seed, TimeSpan Duration, int ClientsPerWorkload = 4)
{
    /// <summary>Names; null = all that the configuration has.</summary>
    public IReadOnlyList<string>? Faults { get; init; }

    /// <summary>Names; null = all.</summary>
    public IReadOnlyList<string>? Workloads { get; init; }

    /// <summary>Planted in every server; null = none.</summary>
    public string? Defect { get; init; }

    /// <summary>The history and the processes' output are kept also where the run was clean.</summary>
    public bool IsKept { get; init; }

    /// <summary>Whether a fault is wanted.</summary>
    public bool Wants(string fault) => Faults?.Contains(fault) ?? true;
}

/// <summary>A system in a temporary folder, with all that a run of it needs; the folder stays where the run was not clean.</summary>
public sealed class RunSession : IAsyncDisposable
{
    private readonly RunRequest _request;
    private readonly DirectoryInfo _folder;
    private bool _isKept;

    /// <param name="request">What is asked for.</param>
    /// <param name="systems">Knows the configuration.</param>
    /// <exception cref="ArgumentException">There is no such configuration, fault or workload.</exception>
    public RunSession(RunRequest request, SystemCatalog systems)
    {
        _request = request;
        _isKept = request.IsKept;
        _folder = Directory.CreateTempSubdirectory("statehouse-faults-");
        try
        {
            System = systems.Create(request.Config, new SystemOptions(_folder.FullName)
            {
                HasMovableClock = request.Wants("clock-jump"),
                HasSmallDisk = request.Wants("disk-full"),
                Defect = request.Defect,
            });
            RequireKnown("fault", request.Faults, [.. System.Faults.Select(fault => fault.Name)]);
            RequireKnown("workload", request.Workloads, WorkloadCatalog.Names);
        }
        catch
        {
            _folder.Delete(recursive: true);
            throw;
        }
    }

    public ISystemUnderTest System { get; }

    /// <summary>Why the configuration cannot run here; null where it can.</summary>
    public static string? Unavailable(string config) => config == "sqlite" ? null : PostgresCluster.SkipReason;

    /// <summary>Faults that are wanted and cannot be done here, each with why.</summary>
    public IReadOnlyList<string> NotPossible =>
        [.. from fault in System.Faults
            where _request.Wants(fault.Name) && fault.Unavailable is not null
            select $"{fault.Name} cannot be done here: {fault.Unavailable}"];

    /// <summary>What will come when.</summary>
    public IReadOnlyList<PlannedFault> Schedule => FaultRun.Schedule(System, Options);

    private RunOptions Options => new(_request.Seed, _request.Duration, _request.ClientsPerWorkload) { Folder = _folder.FullName, Faults = _request.Faults };

    /// <summary>Makes the run; once. Where it was not clean, the folder is kept, with the report in it.</summary>
    /// <param name="progress">Is told how far it is, in lines.</param>
    /// <param name="cancellationToken">Ends it without a verdict.</param>
    public async Task<RunReport> RunAsync(TextWriter? progress, CancellationToken cancellationToken)
    {
        var common = new WorkloadOptions(_request.Seed) { IsShared = System.IsShared };
        List<IWorkload> workloads = [.. (_request.Workloads ?? WorkloadCatalog.Names).Select(name => WorkloadCatalog.Create(name, common))];
        try
        {
            RunReport report = await new FaultRun(System, Options, workloads, progress).RunAsync(cancellationToken);
            _isKept |= !report.IsClean;
            if (!_isKept)
                return report;
            report = report with { KeptFolder = _folder.FullName };
            await KeepAsync("report.md", ReportText.Of(report));
            return report;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            _isKept = true;
            await KeepAsync("error.txt", error.ToString());
            throw new InvalidOperationException($"The run came to no verdict: {error.Message} What it left is in {_folder.FullName}.", error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await System.DisposeAsync();
        if (!_isKept)
            _folder.Delete(recursive: true);
    }

    private async Task KeepAsync(string name, string text)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, name), text);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "output.txt"), System.Output);
    }

    private static void RequireKnown(string what, IReadOnlyList<string>? asked, IReadOnlyList<string> known)
    {
        if (asked?.Except(known).FirstOrDefault() is { } unknown)
            throw new ArgumentException($"there is no {what} '{unknown}' here; there are: {string.Join(", ", known)}");
    }
}
