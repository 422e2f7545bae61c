using System.Diagnostics;
using System.Text.Json;

namespace Statehouse.LocalCluster.Tests;

/// <summary>What a run of a cluster command left.</summary>
internal sealed record CommandResult(int ExitCode, string Out, string Error)
{
    public IReadOnlyList<string> ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>
/// A folder for a cluster, and the real commands run on it as processes; the silo program is <see cref="SiloProcessDouble"/>.
/// Everything that was started ends with the test, in whatever way that ends.
/// </summary>
internal sealed class TestCluster : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    /// <summary>$1 the folder to remove, $2 the cluster's, the rest: the program.</summary>
    private const string RemovalScript = """
        folder=$1; data=$2; shift 2
        "$@" down --purge --data "$data" > /dev/null 2>&1
        rm -rf -- "$folder"
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse cluster ");
    private readonly ExitGuard _guard;
    private readonly List<Process> _commands = [];

    /// <param name="isOpen">Whether other users may enter the folder above the cluster's.</param>
    public TestCluster(bool isOpen = true)
    {
        if (isOpen)
            _folder.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        Data = Path.Combine(_folder.FullName, "data");
        _guard = new ExitGuard(RemovalScript, [_folder.FullName, Data, ChildProcess.DotnetHost, Program], Bound);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The cluster's folder.</summary>
    public string Data { get; }

    public string StateFile => Path.Combine(Data, "cluster.json");

    /// <summary>For the doubles: see <see cref="SiloProcessDouble.MisbehaviourVariable"/>.</summary>
    public string Misbehaviour { get; set; } = "";

    private static string Program => Repository.BuiltDll("src/LocalCluster", "Statehouse.LocalCluster");

    private static string Double => typeof(TestCluster).Assembly.Location;

    /// <summary>Runs it and expects success.</summary>
    /// <returns>Standard output.</returns>
    public async Task<string> OkAsync(params string[] arguments)
    {
        CommandResult result = await RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}{result.Out}");
        return result.Out;
    }

    public Task<CommandResult> RunAsync(params string[] arguments) => ResultAsync(Start(arguments));

    /// <summary>Starts a command and leaves it running; it ends with the test.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(ChildProcess.DotnetHost, [Program, .. arguments, "--data", Data, "--silo-program", Double])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[SiloProcessDouble.MisbehaviourVariable] = Misbehaviour;
        // Of somebody's single server: it must reach no process of the cluster.
        start.Environment["STATEHOUSE_HTTP_ADDR"] = "127.0.0.1:8080";
        var command = Process.Start(start)!;
        _commands.Add(command);
        return command;
    }

    public static async Task<CommandResult> ResultAsync(Process process)
    {
        process.StandardInput.Close();
        // To the end of the streams: a process of the cluster that held one of them open would hang this.
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancelled);
        Task<string> error = process.StandardError.ReadToEndAsync(Cancelled);
        await Task.WhenAll(output, error, process.WaitForExitAsync(Cancelled)).WaitAsync(Bound, Cancelled);
        return new CommandResult(process.ExitCode, await output, await error);
    }

    public async Task<Status> StatusAsync()
    {
        using JsonDocument document = JsonDocument.Parse(await OkAsync("status", "--json"));
        return new Status(document.RootElement.Clone());
    }

    /// <summary>Asks for the status until it is as wanted.</summary>
    public async Task<Status> WaitForStatusAsync(Func<Status, bool> wanted, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (File.Exists(StateFile) && await StatusAsync() is { } status && wanted(status))
                return status;
            Assert.True(Stopwatch.GetElapsedTime(start) < Bound, $"Waited {Bound} in vain until {what}.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), Cancelled);
        }
    }

    public async Task<string> ConnectionStringAsync()
    {
        using JsonDocument state = JsonDocument.Parse(await File.ReadAllTextAsync(StateFile, Cancelled));
        JsonElement server = state.RootElement.GetProperty("postgres").GetProperty("private");
        return $"Host=127.0.0.1;Port={server.GetProperty("port")};Username=statehouse;Password={server.GetProperty("password")};Database=postgres";
    }

    /// <summary>False also for one that has ended and that nobody has waited for yet.</summary>
    public static bool Runs(int pid) =>
        File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    public void Dispose()
    {
        // One that a failed test left would keep the folder from being cleaned up.
        foreach (Process command in _commands)
        {
            command.Kill();
            command.WaitForExit();
            command.Dispose();
        }
        _guard.Dispose();
    }
}

/// <summary>The answer of <c>status --json</c>.</summary>
internal sealed record Status(JsonElement Json)
{
    public string Postgres => Json.GetProperty("postgres").GetProperty("state").GetString()!;

    /// <summary><c>silo ready</c> and so on, by number.</summary>
    public IEnumerable<string> Processes =>
        Json.GetProperty("processes").EnumerateArray().Select(each => $"{each.GetProperty("role")} {each.GetProperty("state")}");

    public IEnumerable<int> Pids =>
        from process in Json.GetProperty("processes").EnumerateArray()
        where process.GetProperty("pid").ValueKind == JsonValueKind.Number
        select process.GetProperty("pid").GetInt32();

    public JsonElement Process(int number) => Json.GetProperty("processes").EnumerateArray().Single(each => each.GetProperty("number").GetInt32() == number);

    public int Pid(int number) => Process(number).GetProperty("pid").GetInt32();

    public IEnumerable<string> GatewayUrls => Json.GetProperty("gateways").EnumerateArray().Select(each => each.GetProperty("http").GetString()!);
}
