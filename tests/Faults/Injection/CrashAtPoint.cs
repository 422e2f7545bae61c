using System.Diagnostics;
using System.Globalization;
using Statehouse.Faults.Systems;
using Statehouse.Journal;

namespace Statehouse.Faults.Injection;

/// <summary>A server is started anew with a crash point armed, and kills itself when it comes there; then it is started without.</summary>
/// <param name="system">Whose servers.</param>
/// <param name="points">To choose from.</param>
internal sealed class CrashAtPoint(ProcessSystem system, IReadOnlyList<CrashPoint> points) : Fault("crash-point")
{
    // What every commit passes, and what comes up now and then.
    private const int PassesMax = 60;
    private const int RarePassesMax = 4;

    // A silo on a busy machine takes its time, and what counts from then on is how often it comes to its point.
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    private ManagedServer? _victim;

    public override (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(8));

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        ManagedServer victim = Choose(system.Servers, random);
        CrashPoint point = Choose(points, random);
        int passes = random.Next(1, 1 + (CrashPoints.OncePerProcess.Contains(point) ? 1 : CrashPoints.OfEachCommit.Contains(point) ? PassesMax : RarePassesMax));
        int id = await victim.KillAsync();
        victim.CrashAtNextStart(string.Create(CultureInfo.InvariantCulture, $"{point}:{passes}"));
        _victim = victim;
        victim.Release();
        await victim.EnsureStartedAsync(cancellationToken);
        await AwaitReadyOrEndedAsync(victim, cancellationToken);
        return $"kill -9 {victim.Name} (pid {id}), which then dies at {point}, the {passes}. time";
    }

    /// <summary>One that did not come to its point so often gets SIGTERM: it may yet, and else goes on without.</summary>
    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _victim, null) is not { } victim)
            return;
        if (victim.IsArmed)
        {
            await victim.DrainAsync(cancellationToken);
            victim.Release();
        }
        await victim.EnsureStartedAsync(cancellationToken);
    }

    private static async Task AwaitReadyOrEndedAsync(ManagedServer victim, CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        while (victim.IsArmed && victim.IsRunning && Stopwatch.GetElapsedTime(began) < StartBound && !await victim.IsReadyAsync(cancellationToken))
            await Task.Delay(BetweenLooks, cancellationToken);
    }
}
