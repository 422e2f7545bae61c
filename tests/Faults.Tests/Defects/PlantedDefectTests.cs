using Statehouse.Faults.Runs;
using Statehouse.Faults.Serving.Defects;
using Statehouse.Faults.Systems;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Tests.Defects;

/// <summary>It bites: a short run finds each planted defect, and nothing where there is none.</summary>
public abstract class PlantedDefectTests(ITestOutputHelper output)
{
    private const int Seed = 20_26;
    private const int ClientsPerWorkload = 2;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    // Kills come from the 3rd second on, and up to 5 s before the end: two or three.
    private static readonly TimeSpan WithKills = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WithoutFaults = TimeSpan.FromSeconds(6);

    private protected static TheoryData<string> NamesOf(bool withKills) =>
        [.. DefectCatalog.All.Where(defect => defect.Shows.HasFlag(DefectShows.AfterKill) == withKills).Select(defect => defect.Name)];

    private protected async Task AssertCaughtAsync(string name)
    {
        Defect defect = DefectCatalog.Find(name)!;
        RunReport report = await RunAsync(ConfigOf(defect.Shows), defect);

        Assert.NotEmpty(report.Verdict.Violations);
        Assert.True(defect.Rules.Intersect(report.Verdict.Violated.Keys).Any(), $"{name}: {string.Join(' ', report.Verdict.Violated.Keys)}");
        // How soon processes start and end is the machine's business, and other tests run beside this one.
        Assert.InRange(report.Worked, TimeSpan.Zero, Bound);
    }

    private protected async Task AssertCleanAsync(DefectShows shows)
    {
        RunReport report = await RunAsync(ConfigOf(shows), new Defect("", "Nothing.", [], shows, hooks => hooks));
        Assert.True(report.IsClean, ReportText.Of(report));
    }

    private static string ConfigOf(DefectShows shows) => shows.HasFlag(DefectShows.BetweenServers) ? "postgres" : "sqlite";

    /// <param name="config">sqlite or postgres.</param>
    /// <param name="defect">Without a name: none is planted.</param>
    private async Task<RunReport> RunAsync(string config, Defect defect)
    {
        Assert.SkipWhen(config == "postgres" && PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        bool kills = defect.Shows.HasFlag(DefectShows.AfterKill);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("statehouse-bites-");
        try
        {
            var options = new RunOptions(Seed, kills ? WithKills : WithoutFaults, ClientsPerWorkload) { Folder = folder.FullName, Faults = kills ? ["kill-server"] : [] };
            await using ISystemUnderTest system = new SystemCatalog().Create(
                config, new SystemOptions(folder.FullName, Defect: defect.Name.Length == 0 ? null : defect.Name) { HasSmallDisk = false });
            IReadOnlyList<IWorkload> workloads = WorkloadCatalog.All(new WorkloadOptions(Seed) { IsShared = system.IsShared, Pause = TimeSpan.FromMilliseconds(20) });
            RunReport report = await new FaultRun(system, options, workloads).RunAsync(TestContext.Current.CancellationToken);
            output.WriteLine(ReportText.Of(report));
            return report;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

/// <summary>What shows in answers, or in the journal.</summary>
public sealed class PlantedDefectsInAnswersTests(ITestOutputHelper output) : PlantedDefectTests(output)
{
    public static TheoryData<string> Names => NamesOf(withKills: false);

    [Theory]
    [MemberData(nameof(Names))]
    public Task A_planted_defect_is_caught_within_60_s(string name) => AssertCaughtAsync(name);

    [Fact]
    public Task The_same_run_without_a_defect_is_clean() => AssertCleanAsync(DefectShows.BetweenServers);
}

/// <summary>What shows where a server is killed.</summary>
public sealed class PlantedDefectsUnderKillsTests(ITestOutputHelper output) : PlantedDefectTests(output)
{
    public static TheoryData<string> Names => NamesOf(withKills: true);

    [Theory]
    [MemberData(nameof(Names))]
    public Task A_planted_defect_is_caught_within_60_s(string name) => AssertCaughtAsync(name);

    [Fact]
    public Task The_same_run_without_a_defect_is_clean() => AssertCleanAsync(DefectShows.AfterKill);
}
