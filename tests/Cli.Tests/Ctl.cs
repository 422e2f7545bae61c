using System.Diagnostics;
using System.Text;

namespace Statehouse.Cli.Tests;

/// <summary>What a run of statehousectl left.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Out">Standard output, as it is.</param>
/// <param name="Error">Standard error, as it is.</param>
internal sealed record CtlResult(int ExitCode, string Out, string Error)
{
    public IReadOnlyList<string> Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Runs the real statehousectl process, with no terminal, against one server.</summary>
internal sealed class Ctl(string server)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Further environment of each run.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public static string Dll => Repository.BuiltDll("src/Cli", "statehousectl");

    /// <summary>Runs it and expects success and silence on standard error.</summary>
    /// <returns>Standard output.</returns>
    public async Task<string> OkAsync(params string[] arguments)
    {
        CtlResult result = await RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Error}{result.Out}");
        return result.Out;
    }

    public Task<CtlResult> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public async Task<CtlResult> RunWithInputAsync(string input, params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancelled);
        Task<string> error = process.StandardError.ReadToEndAsync(Cancelled);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync(Cancelled).WaitAsync(Bound, Cancelled);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
        return new CtlResult(process.ExitCode, await output, await error);
    }

    /// <summary>Starts it and leaves it running: for followers.</summary>
    public ChildProcess Follow(params string[] arguments) =>
        ChildProcess.StartDotnet(Dll, [.. arguments, "--server", server]);

    private Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo(ChildProcess.DotnetHost, [Dll, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["STATEHOUSE_URL"] = server;
        start.Environment.Remove("STATEHOUSE_NAMESPACE");
        start.Environment.Remove("COLUMNS");
        foreach ((string name, string value) in Environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
