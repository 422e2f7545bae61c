using System.Text;
using System.Text.Json;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Peers;
using Xunit;

namespace Statehouse.Bench.Tests;

public sealed class PeerTests
{
    [Fact]
    public void A_ratio_is_the_median_of_the_rounds_ratios_and_not_the_ratio_of_the_medians()
    {
        CaseResult ratio = Assert.Single(RatioTable.Of("peers", "16 in flight", [
            new ContestantRates("ours", IsStatehouse: true, [100, 10, 300]),
            new ContestantRates("theirs", IsStatehouse: false, [50, 20, 100]),
        ]));

        Assert.Equal("ours ÷ theirs; 16 in flight", ratio.Case);
        Assert.Equal((2, 0.5, 3, 3), (ratio.Median, ratio.Min, ratio.Max, ratio.Runs));
    }

    [Fact]
    public void Every_Statehouse_is_compared_with_every_peer_and_with_no_other_Statehouse()
    {
        ContestantRates[] contestants = [new("a", true, [1]), new("b", true, [2]), new("x", false, [4]), new("y", false, [8])];
        Assert.Equal([0.25, 0.125, 0.5, 0.25], RatioTable.Of("peers", "", contestants).Select(ratio => ratio.Median));
    }

    [Fact]
    public void The_lock_file_pins_every_package_and_names_no_registry()
    {
        string text = File.ReadAllText(NodePackages.LockFile);
        Assert.Empty(NodePackages.SourceHosts(text));

        JsonElement packages = JsonDocument.Parse(text).RootElement.GetProperty("packages");
        JsonProperty[] pinned = [.. packages.EnumerateObject().Where(package => package.Name.Length > 0)];
        Assert.NotEmpty(pinned);
        Assert.All(pinned, package => Assert.StartsWith("sha512-", package.Value.GetProperty("integrity").GetString(), StringComparison.Ordinal));
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(NodePackages.Sources, "package.json")));
        Assert.All(manifest.RootElement.GetProperty("dependencies").EnumerateObject(), dependency => Assert.Equal(
            dependency.Value.GetString(), packages.GetProperty($"node_modules/{dependency.Name}").GetProperty("version").GetString()));
    }

    [Fact]
    public void A_lock_file_that_names_another_host_is_found_out() =>
        Assert.Equal(["packages.example", "mirror.example"], NodePackages.SourceHosts("""
            { "a": { "resolved": "https://packages.example/a/-/a-1.tgz" }, "b": { "resolved":"https://mirror.example/b.tgz" } }
            """));

    [Fact]
    public void What_the_load_in_Node_prints_becomes_an_outcome()
    {
        LoadOutcome outcome = NodeLoadOutput.Parse("""
            (node:1) Warning: something else
            {"load":"langgraph","commits":7,"unmeasured":3,"seconds":2,"latencies_us":[[1000,3],[4000,1]],"error":null}
            """).ToOutcome();

        Assert.Equal((4, 7, TimeSpan.FromSeconds(2), 0), (outcome.Requests, outcome.Commits, outcome.Elapsed, outcome.Errors));
        Assert.Equal(1, outcome.Latencies.Milliseconds(75), 0.01);
        Assert.Equal(4, outcome.Latencies.Milliseconds(100), 0.01);
    }

    [Fact]
    public void A_failure_in_the_load_in_Node_is_one_of_the_outcome()
    {
        LoadOutcome outcome = NodeLoadOutput.Parse("""{"load":"langgraph","commits":0,"unmeasured":0,"seconds":2,"latencies_us":[],"error":"no such table"}""").ToOutcome();
        Assert.Equal("no such table", outcome.FirstError?.Message);
    }

    [Theory]
    [InlineData("Error: Cannot find module")]
    [InlineData("{\"load\":\"langgraph\",\"commits\":7,\"unm")]
    [InlineData("{\"load\":\"langgraph\",\"commits\":7}")]
    [InlineData("{\"load\":\"langgraph\",\"commits\":7,\"unmeasured\":3,\"seconds\":2,\"latencies_us\":[[1000]]}")]
    public void A_load_in_Node_that_does_not_say_what_came_of_it_fails(string output) =>
        Assert.Contains(output, Assert.Throws<BenchFailure>(() => NodeLoadOutput.Parse(output)).Message, StringComparison.Ordinal);

    [Fact]
    public void Commands_in_Redis_file_are_counted_up_to_one_that_was_cut_off()
    {
        const string Whole = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n\r\n*3\r\n*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n2\r\n";
        for (int cut = 0; cut < "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n".Length; cut++)
            Assert.Equal(new AppendOnlyFile(2, 1), Read(Whole + "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n"[..cut]));
        Assert.Equal(new AppendOnlyFile(3, 2), Read(Whole + "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n"));
        Assert.Throws<InvalidDataException>(() => Read("REDIS0011"));
    }

    [Fact]
    public void A_run_writes_its_own_part_of_the_results_anew_and_leaves_the_others()
    {
        string both = ResultsDocument.Replace(ResultsDocument.Replace("# Results\n", "figures", "old figures"), "peers", "old peers");
        string again = ResultsDocument.Replace(both, "figures", "new figures");

        Assert.Contains("new figures", again, StringComparison.Ordinal);
        Assert.DoesNotContain("old figures", again, StringComparison.Ordinal);
        Assert.Contains("old peers", again, StringComparison.Ordinal);
        Assert.Equal(again, ResultsDocument.Replace(again, "figures", "new figures"));
    }

    [Fact]
    public void A_part_of_the_results_names_its_command_its_machine_and_every_measure()
    {
        var results = new Results(TextWriter.Null, null);
        results.SayFact("seed         7");
        results.Add(CaseResult.Of("F1", "a case", "commits/s", [1_000, 3_000, 2_000]), Goal.AtLeast(5_000));
        string text = ResultsDocument.Render("Figures", "./statehouse bench --seed 7", DateTimeOffset.UnixEpoch, results, ["SKIPPED: F10"]);

        foreach (string wanted in (string[])["`./statehouse bench --seed 7`, 1970-01-01 00:00 UTC", "seed         7", "SKIPPED: F10", "| a case | 2,000 | 1,000–3,000 | commits/s |  |  | ≥ 5,000: not reached |"])
            Assert.Contains(wanted, text, StringComparison.Ordinal);
    }

    private static AppendOnlyFile Read(string text) => AppendOnlyFile.Read(new MemoryStream(Encoding.ASCII.GetBytes(text)));
}
