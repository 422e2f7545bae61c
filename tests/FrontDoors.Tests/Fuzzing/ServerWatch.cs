using System.Globalization;
using System.Text.RegularExpressions;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Fuzzing;

/// <summary>What a server must still be after whatever was done to it: alive, in service, and of bounded size.</summary>
internal static partial class ServerWatch
{
    private static readonly TimeSpan ServiceBound = TimeSpan.FromSeconds(10);

    /// <summary>Writes and reads one key the ordinary way.</summary>
    public static async Task ExpectServiceAsync(this ServerProcess server)
    {
        Assert.False(server.Process.HasExited, $"The server has ended:\n{server.Process.Output}");
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bounded.CancelAfter(ServiceBound);
        string text = Guid.NewGuid().ToString();
        const string Path = "/v1/namespaces/watch/agents/watch/state/k";
        using HttpResponseMessage put = await server.Http.PutAsync(Path, new StringContent($"\"{text}\""), bounded.Token);
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync(bounded.Token));
        Assert.Contains(text, await server.Http.GetStringAsync(Path, bounded.Token), StringComparison.Ordinal);
    }

    /// <summary>The most memory (resident set) that the process has had so far, in bytes.</summary>
    public static long PeakBytes(this ServerProcess server) => StatusBytes(server, PeakPattern());

    /// <summary>The memory that it has now, in bytes.</summary>
    public static long ResidentBytes(this ServerProcess server) => StatusBytes(server, ResidentPattern());

    public static void ExpectPeakBelow(this ServerProcess server, long bytesMax)
    {
        long peak = server.PeakBytes();
        TestContext.Current.TestOutputHelper?.WriteLine($"peak resident set: {peak >> 20} MiB");
        Assert.True(peak <= bytesMax, $"The server has had {peak >> 20} MiB of memory; {bytesMax >> 20} were allowed.");
    }

    /// <summary>Nothing that the server itself would call its own mistake.</summary>
    public static void ExpectNoErrorLogged(this ServerProcess server)
    {
        string errors = server.ErrorsLogged();
        Assert.True(errors.Length == 0, $"The server wrote errors:\n{errors}");
    }

    /// <summary>The first lines of its output that tell of a mistake of its own.</summary>
    public static string ErrorsLogged(this ServerProcess server) =>
        string.Join('\n', server.Process.Output.Split('\n').Where(line => ErrorPattern().IsMatch(line)).Take(5));

    private static long StatusBytes(ServerProcess server, Regex pattern)
    {
        string status = File.ReadAllText($"/proc/{server.Process.Id}/status");
        return long.Parse(pattern.Match(status).Groups[1].ValueSpan, CultureInfo.InvariantCulture) * 1024;
    }

    [GeneratedRegex(@"VmHWM:\s*(\d+) kB")]
    private static partial Regex PeakPattern();

    [GeneratedRegex(@"VmRSS:\s*(\d+) kB")]
    private static partial Regex ResidentPattern();

    [GeneratedRegex("\"level\":\"(error|critical)\"|SH-9001|Unhandled exception", RegexOptions.IgnoreCase)]
    private static partial Regex ErrorPattern();
}
