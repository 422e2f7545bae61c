using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Systems;
using Statehouse.Faults.Workloads;
using Statehouse.Testing;

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
        using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM, signal => signal.Cancel = TryCancel(ending));
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
        string config = parsed.GetValue(flags.Config)!;
        if (config != "sqlite" && PostgresCluster.SkipReason is { } reason)
            return SayWhyNot(reason);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("statehouse-faults-");
        RunOptions options = flags.Options(parsed, folder.FullName);
        IReadOnlyList<string>? chosen = options.Faults;
        bool isKept = parsed.GetValue(flags.Keep);
        try
        {
            await using ISystemUnderTest system = systems.Create(config, new SystemOptions(folder.FullName)
            {
                HasMovableClock = chosen is null || chosen.Contains("clock-jump"),
                HasSmallDisk = chosen is null || chosen.Contains("disk-full"),
                Defect = parsed.GetValue(flags.Defect),
            });
            if (Unknown(chosen, system.Faults.Select(fault => fault.Name)) is { } unknown)
                return SayWhatIsWrong($"--config {config} has no fault '{unknown}'; there are: {string.Join(", ", system.Faults.Select(fault => fault.Name))}");
            if (parsed.GetValue(flags.List))
                return List(system, options);
            foreach (IFault fault in system.Faults.Where(fault => fault.Unavailable is not null && (chosen?.Contains(fault.Name) ?? true)))
                await Console.Error.WriteLineAsync($"statehouse faults: {fault.Name} cannot be done here: {fault.Unavailable}");
            IReadOnlyList<IWorkload> workloads = flags.Workloads(parsed, options.Seed, system.IsShared);
            RunReport report = await new FaultRun(system, options, workloads, Console.Error).RunAsync(cancellationToken);
            isKept |= !report.IsClean;
            await SayAsync(report with { KeptFolder = isKept ? folder.FullName : null }, system, parsed.GetValue(flags.Report));
            return report.IsClean ? Clean : Violated;
        }
        finally
        {
            if (!isKept)
                folder.Delete(recursive: true);
        }
    }

    private static async Task SayAsync(RunReport report, ISystemUnderTest system, string? reportFile)
    {
        string text = ReportText.Of(report);
        Console.Write(text);
        if (reportFile is not null)
            await File.WriteAllTextAsync(reportFile, text);
        if (report.KeptFolder is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(report.KeptFolder, "report.md"), text);
            await File.WriteAllTextAsync(Path.Combine(report.KeptFolder, "output.txt"), system.Output);
            await Console.Error.WriteLineAsync($"statehouse faults: history, output of the processes and report are kept in {report.KeptFolder}");
        }
        await Console.Error.WriteLineAsync(ReportText.Summary(report));
    }

    private static int List(ISystemUnderTest system, RunOptions options)
    {
        foreach (PlannedFault fault in FaultRun.Schedule(system, options))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fault.At.TotalSeconds,8:0.000} {fault.Fault,-20} for {fault.Lasts.TotalSeconds:0.000} s, seed {fault.Seed}"));
        return Clean;
    }

    private static string? Unknown(IReadOnlyList<string>? asked, IEnumerable<string> known) => asked?.Except(known).FirstOrDefault();

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
