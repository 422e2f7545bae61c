using System.Diagnostics;
using System.Globalization;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.Evidence;
using Statehouse.Faults.History;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Systems;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Runs;

/// <summary>
/// One run: clients work on a system while faults come on a seeded schedule; then everything is healed and started anew, and what
/// clients were told is held against what is in the journal.
/// </summary>
/// <param name="system">Not started yet; the caller disposes it.</param>
/// <param name="options">Seed, duration, clients.</param>
/// <param name="workloads">Made for this run.</param>
/// <param name="progress">Is told how far it is, in lines; null = nobody.</param>
public sealed class FaultRun(ISystemUnderTest system, RunOptions options, IReadOnlyList<IWorkload> workloads, TextWriter? progress = null)
{
    /// <summary>One seat in so many has a bound so short that its calls often end without an answer.</summary>
    private const int ImpatientEvery = 7;

    private const int ImpatientMsLeast = 5;
    private const int ImpatientMsMost = 300;

    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ClientEndBound = TimeSpan.FromSeconds(60);

    private readonly Recorder _recorder = new();
    private readonly List<Violation> _violations = [];
    private long _began;
    private TimeSpan _worked;

    /// <summary>The schedule of these options; what a run does, in the order in which it is to do it.</summary>
    public static IReadOnlyList<PlannedFault> Schedule(ISystemUnderTest system, RunOptions options) =>
        FaultSchedule.Make(options.Seed, options.Duration, Chosen(system, options).Select(fault => new FaultKind(fault.Name, fault.Lasts.Least, fault.Lasts.Most)));

    /// <exception cref="TimeoutException">The system did not even start.</exception>
    public async Task<RunReport> RunAsync(CancellationToken cancellationToken)
    {
        _began = Stopwatch.GetTimestamp();
        Say($"starting {system.Name}, seed {options.Seed}");
        await system.StartAsync(cancellationToken);
        await PrepareAsync(cancellationToken);
        var driver = new FaultDriver(Chosen(system, options), Say);
        bool isReadable = await WorkAsync(driver, cancellationToken);
        _violations.AddRange(system.StuckDrains.Where(stuck => !driver.WasHampered(stuck.From, stuck.To)).Select(stuck => new Violation(
            "process", $"{stuck.Server} did not end within {Stopwatch.GetElapsedTime(stuck.From, stuck.To).TotalSeconds:0} s of SIGTERM, though no fault was in its way, and was killed.", [])));
        Verdict verdict = isReadable ? await JudgeAsync(cancellationToken) : Merge(NothingChecked);
        return Report(driver, verdict);
    }

    private static Verdict NothingChecked => new([], new Dictionary<string, long>(), new Dictionary<string, long>(), [], TimeSpan.Zero);

    private static List<IFault> Chosen(ISystemUnderTest system, RunOptions options) =>
        [.. system.Faults.Where(fault => options.Faults is null || options.Faults.Contains(fault.Name))];

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await using IStoreClient client = system.Connect(system.Protocols[0]);
        foreach (IWorkload workload in workloads)
            await workload.PrepareAsync(client, _recorder, cancellationToken);
    }

    /// <summary>Clients work, faults come; at the end everything is healed, and clients work on until commits are acknowledged again.</summary>
    /// <returns>Whether the system came back, so that its journal can be read.</returns>
    private async Task<bool> WorkAsync(FaultDriver driver, CancellationToken cancellationToken)
    {
        using var clientsEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var faultsEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        long worked = Stopwatch.GetTimestamp();
        List<Task> clients = StartClients(clientsEnd.Token);
        IReadOnlyList<PlannedFault> schedule = Schedule(system, options);
        Say($"{clients.Count} clients, {schedule.Count} faults planned for {options.Duration.TotalMinutes:0.##} min");
        faultsEnd.CancelAfter(options.Duration);
        Task faults = driver.RunAsync(schedule, faultsEnd.Token);
        Task<bool> all = Task.Delay(options.Duration, cancellationToken).ContinueWith(_ => true, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        while (!all.IsCompleted)
        {
            // A client that ends early has met a bug of the harness: there is no use in going on.
            Task first = await Task.WhenAny([all, Task.Delay(SayEvery, CancellationToken.None), .. clients]);
            if (clients.Contains(first) && !all.IsCompleted)
                break;
            if (!all.IsCompleted)
                Say($"{_recorder.Count} operations, {driver.Done.Count(fault => fault.IsDone)} faults");
        }
        cancellationToken.ThrowIfCancellationRequested();
        await faultsEnd.CancelAsync();
        await faults;
        _worked = Stopwatch.GetElapsedTime(worked);
        Say("healing");
        bool isHealed = await TryAsync("recovery", () => system.HealAsync(cancellationToken)) && await CommitsAgainAsync(clients, cancellationToken);
        await clientsEnd.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(ClientEndBound, cancellationToken);
        if (isHealed)
            await ProbeAsync(cancellationToken);
        Say("starting every server anew");
        return await TryAsync("recovery", () => system.RestartAsync(cancellationToken)) && isHealed;
    }

    private async Task ProbeAsync(CancellationToken cancellationToken)
    {
        Say("asking every server");
        var probe = new RecoveryProbe(system, _recorder, options.Seed);
        _violations.AddRange(await probe.RunAsync(workloads, options.RecoveryBound, cancellationToken));
    }

    private List<Task> StartClients(CancellationToken ending)
    {
        List<Task> clients = [];
        foreach ((int turn, IWorkload workload) in workloads.Index())
        {
            for (int number = 0; number < options.ClientsPerWorkload; number++)
            {
                string protocol = system.Protocols[(turn + number) % system.Protocols.Count];
                var random = new Random(Seeds.For(options.Seed, workload.Name, number));
                bool isImpatient = clients.Count % ImpatientEvery == ImpatientEvery - 1;
                TimeSpan bound = isImpatient ? TimeSpan.FromMilliseconds(random.Next(ImpatientMsLeast, ImpatientMsMost)) : options.CallBound;
                var seat = new ClientSeat(number, random, _recorder, () => system.Connect(protocol), bound);
                clients.Add(Task.Run(() => workload.RunClientAsync(seat, ending), CancellationToken.None));
            }
        }
        return clients;
    }

    private async Task<bool> CommitsAgainAsync(List<Task> clients, CancellationToken cancellationToken)
    {
        long healed = _recorder.Now;
        long began = Stopwatch.GetTimestamp();
        while (!_recorder.Calls.Any(call => call.InvokedAt > healed && IsAcknowledgedCommit(call)))
        {
            if (clients.Any(client => client.IsFaulted))
                return true;
            if (Stopwatch.GetElapsedTime(began) > options.RecoveryBound)
            {
                _violations.Add(new Violation("recovery", $"Everything was healed, but for {options.RecoveryBound.TotalSeconds:0} s no commit was acknowledged.", []));
                return true;
            }
            await Task.Delay(LookEvery, cancellationToken);
        }
        return true;
    }

    /// <returns>Whether it came to an end in time; otherwise it is a violation.</returns>
    private async Task<bool> TryAsync(string rule, Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (TimeoutException error)
        {
            _violations.Add(new Violation(rule, error.Message, []));
            return false;
        }
    }

    private async Task<Verdict> JudgeAsync(CancellationToken cancellationToken)
    {
        Say("reading the journals back");
        RunEvidence evidence;
        try
        {
            evidence = await system.Evidence.ReadAsync(_recorder, workloads.SelectMany(workload => workload.Agents), cancellationToken);
        }
        catch (EvidenceException error)
        {
            // Everything was healed: a server that does not show its journals now, because they are damaged for instance, has failed.
            _violations.Add(new Violation("evidence", error.Message, []));
            return Merge(NothingChecked);
        }
        await HistoryFile.WriteAsync(HistoryFileName, system.Name, system.IsShared, evidence, cancellationToken);
        Say($"checking {evidence.Calls.Count} operations and {evidence.Feed.Count} commits");
        Verdict verdict = RunChecker.Check(evidence, new CheckOptions { IsShared = system.IsShared });
        return Merge(Add(verdict, evidence));
    }

    private string HistoryFileName => Path.Combine(options.Folder, "history.jsonl");

    /// <summary>The workloads' own checks beside the checker's.</summary>
    private Verdict Add(Verdict verdict, RunEvidence evidence)
    {
        long began = Stopwatch.GetTimestamp();
        var tried = new Dictionary<string, long>(verdict.Checked);
        List<Violation> found = [];
        RunEvidence ofWorkloads = RecoveryProbe.Without(evidence);
        tried[RecoveryProbe.Name] = evidence.Calls.LongCount(call => call.Workload == RecoveryProbe.Name);
        foreach (IWorkload workload in workloads)
        {
            tried[workload.Name] = evidence.Calls.LongCount(call => call.Workload == workload.Name);
            found.AddRange(workload.Check(ofWorkloads));
        }
        return verdict with
        {
            Violations = [.. verdict.Violations, .. found],
            Checked = tried,
            Violated = Counted(verdict.Violated, found),
            Elapsed = verdict.Elapsed + Stopwatch.GetElapsedTime(began),
        };
    }

    /// <summary>With what the run itself saw: no recovery, a process that broke down.</summary>
    private Verdict Merge(Verdict verdict)
    {
        _violations.AddRange(system.Breakdowns.Select(breakdown => new Violation("process", breakdown, [])));
        return verdict with { Violations = [.. _violations, .. verdict.Violations], Violated = Counted(verdict.Violated, _violations) };
    }

    private static Dictionary<string, long> Counted(IReadOnlyDictionary<string, long> known, IEnumerable<Violation> found)
    {
        var counted = new Dictionary<string, long>(known);
        foreach (Violation violation in found)
            counted[violation.Rule] = counted.GetValueOrDefault(violation.Rule) + 1;
        return counted;
    }

    private RunReport Report(FaultDriver driver, Verdict verdict)
    {
        IReadOnlyList<RecordedCall> calls = _recorder.Calls;
        string[] chosen = [.. Chosen(system, options).Select(fault => fault.Name)];
        return new RunReport(
            system.Name, options, [.. workloads.Select(workload => workload.Name)], driver.Done, RunFigures.Count(calls),
            RunFigures.LongestSilence(calls), system.Lives, verdict, Stopwatch.GetElapsedTime(_began))
        {
            Worked = _worked + verdict.Elapsed,
            Replay = string.Create(CultureInfo.InvariantCulture, $"{options.ReplayPrefix} --config {system.Name} --seed {options.Seed} --minutes {options.Duration.TotalMinutes:0.###} --clients {options.ClientsPerWorkload}")
                + $" --workloads {string.Join(',', workloads.Select(workload => workload.Name))} --faults {(chosen.Length == 0 ? "none" : string.Join(',', chosen))}",
        };
    }

    private static bool IsAcknowledgedCommit(RecordedCall call) => RunFigures.IsAcknowledgedCommit(call);

    private void Say(string what) =>
        progress?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{system.Name} {Stopwatch.GetElapsedTime(_began):m\\:ss} {what}"));
}
