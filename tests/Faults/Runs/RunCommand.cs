using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using Statehouse.Faults.Checker;

namespace Statehouse.Faults.Runs;

/// <summary>The command line of the harness: <c>run</c> makes a run, <c>check</c> checks a history again.</summary>
public static class RunCommand
{
    private const int Clean = 0;
    private const int Violated = 1;
    private const int WrongUsage = 2;
    private const int CannotRun = 3;

    /// <summary>Makes one run.</summary>
    /// <returns>0 clean, 1 a violation, 2 usage, 3 it cannot run here.</returns>
    public static async Task<int> RunAsync(string[] args, SystemCatalog systems)
    {
        var flags = new RunFlags(systems.Names);
        ParseResult parsed = CommandLineParser.Parse(flags.Root, args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return SayWhatIsWrong(parsed.UnmatchedTokens.Count > 0 ? $"there is no '{parsed.UnmatchedTokens[0]}' here" : parsed.Errors[0].Message.TrimEnd('.'));
        if (parsed.Action is not null)
            return await parsed.InvokeAsync();
        string? problem = flags.Problem(parsed);
        if (problem is not null)
            return SayWhatIsWrong(problem);
        using var ending = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) => pressed.Cancel = TryCancel(ending);
        using var terminated = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM, signal => signal.Cancel = TryCancel(ending));
        try
        {
            return await RunAsync(flags, parsed, systems, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("statehouse faults: ended before the run was over; nothing was checked");
            return CannotRun;
        }
    }

    /// <summary>Checks a history that a run left behind, with the checker of today; not with the workloads' own checks.</summary>
    /// <returns>0 clean, 1 a violation, 2 usage.</returns>
    public static async Task<int> CheckAsync(string[] args)
    {
        if (args is not [{ Length: > 0 } file] || !File.Exists(file))
            return SayWhatIsWrong("check takes the history.jsonl of a run");
        (string system, bool isShared, RunEvidence evidence) = await HistoryFile.ReadAsync(file, CancellationToken.None);
        Verdict verdict = RunChecker.Check(evidence, new CheckOptions { IsShared = isShared });
        Console.Write(ReportText.Of(verdict));
        await Console.Error.WriteLineAsync($"{system}: {(verdict.IsClean ? "clean" : "NOT CLEAN")}; {evidence.Calls.Count} operations");
        return verdict.IsClean ? Clean : Violated;
    }

    public static int Usage(TextWriter errors)
    {
        errors.WriteLine("statehouse faults: usage: run --config NAME [flags] | check HISTORY | serve [flags] -- FLAGS OF THE SERVER; see ./statehouse faults --help");
        return WrongUsage;
    }

    private static async Task<int> RunAsync(RunFlags flags, ParseResult parsed, SystemCatalog systems, CancellationToken cancellationToken)
    {
        RunRequest request = flags.Request(parsed);
        if (RunSession.Unavailable(request.Config) is { } reason)
            return SayWhyNot(reason);
        RunSession session;
        try
        {
            session = new RunSession(request, systems);
        }
        catch (ArgumentException error)
        {
            return SayWhatIsWrong(error.Message);
        }
        await using (session)
        {
            if (parsed.GetValue(flags.List))
                return List(session.Schedule);
            foreach (string problem in session.NotPossible)
                await Console.Error.WriteLineAsync($"statehouse faults: {problem}");
            RunReport report = await session.RunAsync(Console.Error, cancellationToken);
            await SayAsync(report, parsed.GetValue(flags.Report));
            return report.IsClean ? Clean : Violated;
        }
    }

    private static async Task SayAsync(RunReport report, string? reportFile)
    {
        string text = ReportText.Of(report);
        Console.Write(text);
        if (reportFile is not null)
            await File.WriteAllTextAsync(reportFile, text);
        if (report.KeptFolder is not null)
            await Console.Error.WriteLineAsync($"statehouse faults: history, report and output of the processes are kept in {report.KeptFolder}");
        await Console.Error.WriteLineAsync(ReportText.Summary(report));
    }

    private static int List(IReadOnlyList<PlannedFault> schedule)
    {
        foreach (PlannedFault fault in schedule)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fault.At.TotalSeconds,8:0.000} {fault.Fault,-20} for {fault.Lasts.TotalSeconds:0.000} s, seed {fault.Seed}"));
        return Clean;
    }

    private static bool TryCancel(CancellationTokenSource ending)
    {
        if (ending.IsCancellationRequested)
            return false;
        ending.Cancel();
        return true;
    }

    private static int SayWhatIsWrong(string what)
    {
        Console.Error.WriteLine($"statehouse faults: {what}; see ./statehouse faults --help");
        return WrongUsage;
    }

    private static int SayWhyNot(string reason)
    {
        Console.Error.WriteLine($"statehouse faults: it cannot run here: {reason}");
        return CannotRun;
    }
}
