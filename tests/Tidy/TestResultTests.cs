using Statehouse.Testing;
using Xunit;

namespace Statehouse.Tidy;

/// <summary>What `./statehouse test` makes of a suite's results: .ci/results.sh and .ci/test.sh.</summary>
public sealed class TestResultTests
{
    private const string OnePassed = """<testcase name="A.B.Passes" classname="A.B" time="0.1" />""";

    [Fact]
    public async Task Passed_failed_and_skipped_tests_are_counted_and_named()
    {
        (int code, string[] lines) = await ReportAsync(exitCode: 1, $"""
            <testsuites><testsuite>{OnePassed}
            <testcase name="A.B.Fails(x: &quot;&lt;1&gt;&quot;)" classname="A.B"><failure message="no">at A
            at B</failure></testcase><testcase name="test_waits" classname="c"><skipped message="no &quot;server&quot; &amp; no time" /></testcase>
            </testsuite></testsuites>
            """);
        Assert.Equal(1, code);
        Assert.Equal(
            ["skipped: Suite: c.test_waits: no \"server\" & no time", "failed: Suite: A.B.Fails(x: \"<1>\")", "1 passed, 1 failed, 1 skipped"],
            lines);
    }

    [Fact]
    public async Task Only_passed_tests_end_with_0_and_the_sum_alone()
    {
        (int code, string[] lines) = await ReportAsync(exitCode: 0, $"<testsuites>{OnePassed}{OnePassed}</testsuites>");
        Assert.Equal(0, code);
        Assert.Equal(["2 passed, 0 failed, 0 skipped"], lines);
    }

    [Theory]
    [InlineData(134, "", "it crashed")]
    [InlineData(0, "", "it crashed")]
    [InlineData(0, "<testsuites></testsuites>", "it ran no test")]
    [InlineData(3, "<testsuites>" + OnePassed + "</testsuites>", "exit code 3")]
    [InlineData(124, "<testsuites>" + OnePassed + "</testsuites>", "overran its bound")]
    public async Task A_suite_that_crashed_overran_or_ran_nothing_is_a_failure(int exitCode, string junit, string reason)
    {
        (int code, string[] lines) = await ReportAsync(exitCode, junit);
        Assert.Equal(1, code);
        Assert.Contains(reason, Assert.Single(lines, line => line.StartsWith("failed: Suite", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.EndsWith(", 1 failed, 0 skipped", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_suite_that_overruns_is_ended_with_all_its_children()
    {
        (int code, string output) = await BashAsync("""
            hang() { bash -c 'echo $$; exec sleep 600' & wait; }
            code=0; bounded 1 hang || code=$?
            echo "code $code"
            """);
        Assert.Equal(0, code);
        Assert.Contains("code 124", output, StringComparison.Ordinal);
        string child = output.Split('\n')[0];
        Assert.False(Directory.Exists($"/proc/{child}"), $"Process {child} outlived its suite.");
    }

    [Theory]
    [InlineData("a.csproj : error NU1101: Unable to find package Microsoft.Orleans.Sdk. No packages", "Microsoft.Orleans.Sdk")]
    [InlineData("a.csproj : error NU1101: Unable to find package Microsoft.Orleans.Sdk. No\nb.csproj : error NU1101: Unable to find package Npgsql. No", "")]
    [InlineData("a.csproj : error NU1605: Warning As Error: Detected package downgrade: Microsoft.Extensions.Options from 10.0.11 to 10.0.5. Reference\na.csproj : error NU1101: Unable to find package System.IO.Hashing. No\na.csproj : error NU1101: Unable to find package Microsoft.Orleans.Sdk. No", "Microsoft.Orleans.Sdk")]
    [InlineData("a.csproj : error NU1603: Warning As Error: Microsoft.Orleans.Server 10.4.2 depends on Polly (>= 8.6.4) but Polly 8.6.4 was not found", "")]
    [InlineData("a.csproj : error NU1301: Unable to load the service index for source", "")]
    [InlineData("", "")]
    public async Task Only_missing_Orleans_packages_allow_the_smaller_solution(string restoreOutput, string missing)
    {
        (int code, string output) = await BashAsync($"""
            printf '%s\n' '{restoreOutput}' >"$results.restore"
            missing_orleans_packages "$results.restore"
            """);
        Assert.Equal(0, code);
        Assert.Equal(missing, output.Trim());
    }

    private static async Task<(int Code, string[] Lines)> ReportAsync(int exitCode, string junit)
    {
        (int code, string output) = await BashAsync($"""
            cat >"$results.xml" <<'XML'
            {junit}
            XML
            [ -n '{(junit.Length == 0 ? "" : "x")}' ] || rm "$results.xml"
            read_junit "$results.xml" Suite {exitCode}
            report_results
            """);
        return (code, output.Split('\n'));
    }

    /// <summary>Runs commands with the test command's functions at hand and a fresh results file.</summary>
    private static async Task<(int Code, string Output)> BashAsync(string commands)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("statehouse-results-");
        try
        {
            string script = $"""
                root='{Repository.Root}'; results='{folder.FullName}/results'; : >"$results"
                source "$root/.ci/toolchain.sh"; source "$root/.ci/test.sh"
                {commands}
                """;
            await using ChildProcess shell = ChildProcess.Start("bash", ["-euo", "pipefail", "-c", script], folder.FullName);
            int code = await shell.WaitForExitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            return (code, shell.Output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
