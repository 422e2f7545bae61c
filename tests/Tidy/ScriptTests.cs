using Statehouse.Testing;
using Xunit;

namespace Statehouse.Tidy;

/// <summary><c>./statehouse</c> as a user meets it. What `test` makes of suites' results: <see cref="TestResultTests"/>.</summary>
public sealed class ScriptTests
{
    // `ctl` may have to build first.
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("up --help")]
    [InlineData("test --help")]
    [InlineData("bench --help")]
    [InlineData("cluster")]
    [InlineData("cluster help")]
    [InlineData("cluster up --help")]
    [InlineData("faults")]
    [InlineData("faults --help")]
    [InlineData("faults --config sqlite --help")]
    public async Task Help_is_printed_from_any_folder_without_colour(string arguments)
    {
        (int code, string output) = await RunAsync(Repository.PathOf("statehouse"), arguments, Path.GetTempPath());
        Assert.Equal(0, code);
        Assert.Contains("./statehouse ", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("cluster nonsense")]
    [InlineData("faults nonsense")]
    [InlineData("test --nonsense")]
    [InlineData("test Nonsense")]
    [InlineData("test --filter")]
    [InlineData("test --timeout 0")]
    public async Task Wrong_usage_exits_with_2_and_one_line_that_names_it(string arguments)
    {
        (int code, string output) = await RunAsync(Repository.PathOf("statehouse"), arguments, Path.GetTempPath());
        Assert.Equal(2, code);
        Assert.DoesNotContain('\n', output);
        Assert.Contains(arguments.Split(' ')[^1], output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_in_a_folder_with_spaces_still_finds_its_clone()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("state house ");
        try
        {
            string link = Path.Combine(folder.FullName, "my statehouse");
            File.CreateSymbolicLink(link, Repository.PathOf("statehouse"));
            Assert.Equal(0, (await RunAsync(link, "test --help", folder.FullName)).Code);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Up_without_an_SDK_says_what_is_missing_and_where_to_get_it()
    {
        DirectoryInfo empty = Directory.CreateTempSubdirectory("statehouse-no-sdk-");
        try
        {
            string script = $"""
                root='{empty.FullName}'
                source '{Repository.PathOf(".ci/toolchain.sh")}'
                sdk_places() ( echo "$root/no-dotnet-here" )
                require_sdk
                """;
            await using ChildProcess shell = ChildProcess.Start("bash", ["-euo", "pipefail", "-c", script], empty.FullName);
            Assert.Equal(1, await shell.WaitForExitAsync(Bound, TestContext.Current.CancellationToken));
            Assert.Contains("missing: the .NET SDK 10.0", shell.Output, StringComparison.Ordinal);
            Assert.Contains("https://dotnet.microsoft.com/", shell.Output, StringComparison.Ordinal);
        }
        finally
        {
            empty.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("up")]
    [InlineData("add")]
    [InlineData("restart 1")]
    [InlineData("status")]
    [InlineData("kill 1")]
    [InlineData("down")]
    public async Task Cluster_commands_without_an_Orleans_runtime_end_with_3_and_one_line_that_says_so(string arguments)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("statehouse-no-runtime-");
        try
        {
            // A package source without Orleans, as its restore speaks; all other builds are real.
            string script = $$"""
                root='{{Repository.Root}}'
                source "$root/.ci/toolchain.sh"; source "$root/.ci/cluster.sh"
                silo_dll="$PWD/none.dll"
                eval "real_$(declare -f build_quietly)"
                build_quietly() {
                  if [ "$2" != restore ]; then real_build_quietly "$@"; return; fi
                  echo 'Silo.csproj : error NU1101: Unable to find package Microsoft.Orleans.Runtime. No packages exist.' >"$PWD/log"
                  mkdir -p "${1%/*}"
                  cp "$PWD/log" "$1"
                  return 1
                }
                run_cluster {{arguments}}
                """;
            await using ChildProcess shell = ChildProcess.Start("bash", ["-euo", "pipefail", "-c", script], folder.FullName);
            Assert.Equal(3, await shell.WaitForExitAsync(Bound, TestContext.Current.CancellationToken));
            Assert.Contains("the package source lacks Microsoft.Orleans.Runtime", shell.Output, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', shell.Output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Ctl_runs_statehousectl_with_its_arguments_and_its_exit_code()
    {
        (int code, string output) = await RunAsync(
            Repository.PathOf("statehouse"), "ctl get --server http://127.0.0.1:1 agent key", Path.GetTempPath());
        Assert.Equal(3, code);
        Assert.Contains("http://127.0.0.1:1", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunAsync(string script, string arguments, string folder)
    {
        await using ChildProcess process = ChildProcess.Start(script, arguments.Split(' '), folder);
        int code = await process.WaitForExitAsync(Bound, TestContext.Current.CancellationToken);
        return (code, process.Output);
    }
}
