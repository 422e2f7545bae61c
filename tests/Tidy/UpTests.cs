using System.Text.RegularExpressions;
using Statehouse.Testing;
using Xunit;

namespace Statehouse.Tidy;

/// <summary><c>./statehouse up</c> as a user runs it: builds, serves from the folder that the user stands in, stops when told.</summary>
public sealed partial class UpTests : IDisposable
{
    // It builds first, and the build may find two busy cores.
    private static readonly TimeSpan StartBound = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse up ");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task It_serves_from_data_where_the_user_stands_and_SIGTERM_ends_it_with_0()
    {
        await using ChildProcess server = Up();
        Uri address = await AddressAsync(server);
        using var http = new HttpClient { BaseAddress = address };
        Assert.Contains("ok", await http.GetStringAsync("/healthz", Cancelled), StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_folder.FullName, "data")));

        Assert.Equal(0, await server.TerminateAsync(StopBound, Cancelled));
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_by_name_with_1()
    {
        await using ChildProcess first = Up();
        await AddressAsync(first);

        await using ChildProcess second = Up();

        Assert.Equal(1, await second.WaitForExitAsync(StartBound, Cancelled));
        Assert.Contains(Path.Combine(_folder.FullName, "data"), second.Output, StringComparison.Ordinal);
        Assert.False(first.HasExited, first.Output);
    }

    [Fact]
    public async Task A_flag_that_the_server_does_not_know_is_named_and_ends_it_with_2()
    {
        await using ChildProcess server = Up("--nonsense");
        Assert.Equal(2, await server.WaitForExitAsync(StartBound, Cancelled));
        Assert.Contains("--nonsense", server.Output, StringComparison.Ordinal);
    }

    private ChildProcess Up(params string[] more) =>
        ChildProcess.Start(Repository.PathOf("statehouse"), ["up", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", .. more], _folder.FullName);

    /// <summary>Where it says that it listens.</summary>
    private static async Task<Uri> AddressAsync(ChildProcess server)
    {
        Match match = await server.WaitForOutputAsync(Listening(), StartBound, Cancelled);
        return new Uri(match.Groups[1].Value);
    }

    [GeneratedRegex(@"listens on (http://\S+)")]
    private static partial Regex Listening();
}
