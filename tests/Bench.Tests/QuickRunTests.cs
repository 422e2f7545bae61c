using System.Text.Json;
using Statehouse.Bench.Figures;
using Statehouse.Testing;
using Xunit;

namespace Statehouse.Bench.Tests;

/// <summary>The benchmark as a process, on real servers: that it works, not how fast.</summary>
public sealed class QuickRunTests : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromMinutes(9);
    private static readonly string[] s_onPostgres = ["F1", "F2", "F4"];
    private static readonly string[] s_fields = ["figure", "case", "unit", "median", "min", "max", "p50_ms", "p99_ms", "runs", "p90_ms", "p999_ms"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-quick-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public Task Every_figure_that_needs_no_PostgreSQL_and_no_cluster_comes_out_of_a_quick_run() =>
        RunAsync([.. FigureCatalog.All.Select(figure => figure.Id).Except([.. s_onPostgres, "F10"])]);

    [Fact]
    public Task The_figures_on_PostgreSQL_come_out_of_a_quick_run()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        return RunAsync(s_onPostgres);
    }

    [Fact]
    public Task The_figure_of_a_killed_silo_comes_out_of_a_quick_run()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        Assert.SkipUnless(File.Exists(SiloProgram), "the silo program was not built: the package source has no Orleans runtime");
        return RunAsync(["F10"], "--silo-program", SiloProgram);
    }

    [Fact]
    public async Task Peers_that_need_PostgreSQL_alone_come_out_of_a_quick_run_with_their_ratios_and_a_document()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        string document = Path.Combine(_folder.FullName, "RESULTS.md");
        await RunAsync(["peers"], "--peers", "upsert,journal", "--results", document);

        string[] ratios = [.. (await MeasuresAsync()).Select(measure => measure.GetProperty("case").GetString()!).Where(name => name.Contains('÷', StringComparison.Ordinal))];
        // Two doors on two stores, two peers, three workloads.
        Assert.Equal(4 * 2 * 3, ratios.Distinct().Count());
        string text = await File.ReadAllTextAsync(document, TestContext.Current.CancellationToken);
        Assert.Contains("./statehouse bench --quick --json", text, StringComparison.Ordinal);
        Assert.All(ratios, ratio => Assert.Contains($"| {ratio} |", text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--only", "F1,F99", "F99")]
    [InlineData("--peers", "redis,sider", "sider")]
    public async Task A_figure_or_peer_that_there_is_not_ends_it_with_2_and_one_line_that_names_it(string option, string names, string unknown)
    {
        await using ChildProcess bench = Start(option, names);
        Assert.Equal(2, await bench.WaitForExitAsync(s_bound, TestContext.Current.CancellationToken));
        Assert.DoesNotContain('\n', bench.Output);
        Assert.Contains($"'{unknown}'", bench.Output, StringComparison.Ordinal);
    }

    private static string SiloProgram => Repository.PathOf($"src/Silo/bin/{new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name}/net10.0/Statehouse.Silo.dll");

    private async Task RunAsync(IReadOnlyList<string> figures, params string[] more)
    {
        string[] only = figures is ["peers"] ? [] : ["--only", string.Join(',', figures)];
        await using ChildProcess bench = Start(["--quick", "--json", Json, "--charts", _folder.FullName, .. only, .. more]);
        int code = await bench.WaitForExitAsync(s_bound, TestContext.Current.CancellationToken);
        Assert.True(code == 0, bench.Output);

        JsonElement[] measures = await MeasuresAsync();
        Assert.All(measures, measure =>
        {
            Assert.Equal(s_fields, measure.EnumerateObject().Select(field => field.Name));
            Assert.InRange(measure.GetProperty("median").GetDouble(), measure.GetProperty("min").GetDouble(), measure.GetProperty("max").GetDouble());
        });
        Assert.Equal(figures.Append("load").Order(), measures.Select(measure => measure.GetProperty("figure").GetString()!).Distinct().Order());
        Assert.Equal(figures.Count(figure => figure.StartsWith("growth-", StringComparison.Ordinal)) > 0, _folder.EnumerateFiles("growth-*.svg").Any());
    }

    private string Json => Path.Combine(_folder.FullName, "figures.json");

    private async Task<JsonElement[]> MeasuresAsync() =>
        [.. (await File.ReadAllLinesAsync(Json, TestContext.Current.CancellationToken)).Select(line => JsonDocument.Parse(line).RootElement)];

    private static ChildProcess Start(params string[] arguments) =>
        ChildProcess.StartDotnet(Repository.BuiltDll("bench/Statehouse.Bench", "Statehouse.Bench"), arguments);
}
