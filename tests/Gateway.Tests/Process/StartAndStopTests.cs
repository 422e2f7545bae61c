using System.Text.RegularExpressions;
using Statehouse.Gateway.Tests.Hosting;
using Statehouse.Testing;

namespace Statehouse.Gateway.Tests.Process;

/// <summary>How the process starts, refuses to, and stops: exit codes and one clear line.</summary>
public sealed partial class StartAndStopTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-process-");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task It_says_where_it_listens_and_SIGTERM_ends_streams_and_exits_with_0()
    {
        await using ChildProcess server = Start("--http", "127.0.0.1:0", "--data", "data");
        Match started = await server.WaitForOutputAsync(Listening(), Bound, Cancelled);
        using var api = new ApiClient(new Uri(started.Groups[1].Value));
        (await api.PutAsync("/v1/namespaces/default/agents/a/state/k", "1")).Expect(200);
        await using EventReader stream = await api.FollowAsync("/v1/namespaces/default/agents/a/commits");
        await using EventReader feed = await api.FollowAsync("/v1/feed");
        await stream.ReadCommitAsync();
        await feed.ReadCommitAsync();

        Assert.Equal(0, await server.TerminateAsync(Bound, Cancelled));

        Assert.Null(await stream.ReadAsync());
        Assert.Null(await feed.ReadAsync());
        Assert.Contains("curl", server.Output, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder.FullName, "data"), server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_by_name()
    {
        await using ServerProcess first = await ServerProcess.StartNewAsync(Cancelled);
        await using ChildProcess second = Start("--http", "127.0.0.1:0", "--data", first.DataFolder);
        Assert.Equal(1, await second.WaitForExitAsync(Bound, Cancelled));
        Assert.Contains(first.DataFolder, ErrorLine(second), StringComparison.Ordinal);
        Assert.False(first.Process.HasExited);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_refused_by_name()
    {
        await using ServerProcess first = await ServerProcess.StartNewAsync(Cancelled);
        await using ChildProcess second = Start("--http", first.Address, "--data", "data");
        Assert.Equal(1, await second.WaitForExitAsync(Bound, Cancelled));
        Assert.Contains(first.Address, ErrorLine(second), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nonsense", 2)]
    [InlineData("--journal oracle", 2)]
    [InlineData("--limit page_max=0", 2)]
    [InlineData("--data /dev/null/data", 1)]
    public async Task What_cannot_be_used_ends_it_with_one_line(string flags, int exitCode)
    {
        await using ChildProcess server = Start(["--http", "127.0.0.1:0", .. flags.Split(' ')]);
        Assert.Equal(exitCode, await server.WaitForExitAsync(Bound, Cancelled));
        Assert.Contains(flags.Split(' ')[^1].Split('=')[0], ErrorLine(server), StringComparison.Ordinal);
    }

    private ChildProcess Start(params string[] flags) =>
        ChildProcess.StartDotnet(Repository.BuiltDll("src/Gateway", "Statehouse.Gateway"), flags, _folder.FullName);

    /// <summary>The one line that tells the operator.</summary>
    private static string ErrorLine(ChildProcess process) =>
        Assert.Single(process.Output.Split('\n'), line => line.StartsWith("statehouse: ", StringComparison.Ordinal));

    [GeneratedRegex(@"listens on (http://\S+)")]
    private static partial Regex Listening();
}
