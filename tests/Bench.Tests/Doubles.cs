using System.Collections.Frozen;
using System.Diagnostics;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Tests;

/// <summary>A target that counts what it acknowledges, and can be told to stall once, to fail, or to forget.</summary>
internal sealed class FakeTarget : ITarget, ISession
{
    private int _asked;

    /// <summary>The first request takes this long.</summary>
    public TimeSpan FirstTakes { get; init; }

    /// <summary>From this request on every one fails; 0 = never.</summary>
    public int FailsFrom { get; init; }

    /// <summary>Acknowledged commits that it does not hold.</summary>
    public int Forgets { get; init; }

    /// <summary>As <see cref="Forgets"/>, after the crash only.</summary>
    public int ForgetsInCrash { get; init; }

    public string Name => "fake";

    public IReadOnlySet<RequestKind> Answers { get; } = FrozenSet.Create(RequestKind.Put);

    public string? NotComparable => null;

    public IReadOnlyList<WatchedProcess> Processes => [];

    public bool Blocks => true;

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) => ValueTask.FromResult<ISession>(this);

    public ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken)
    {
        int number = Interlocked.Increment(ref _asked);
        if (FailsFrom > 0 && number >= FailsFrom)
            throw new InvalidOperationException("the fake fails");
        if (number == 1 && FirstTakes > TimeSpan.Zero)
        {
            // By the clock that latencies are measured with: a wait counts by a coarser one, and may end early by it.
            long began = Stopwatch.GetTimestamp();
            using var never = new ManualResetEventSlim();
            for (TimeSpan left = FirstTakes; left > TimeSpan.Zero; left = FirstTakes - Stopwatch.GetElapsedTime(began))
                never.Wait(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), cancellationToken);
        }
        return ValueTask.FromResult(new Answer(1, 0));
    }

    public ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<long?>(Math.Max(0, Volatile.Read(ref _asked) - Forgets));

    public ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken) => ValueTask.FromResult(0L);

    public ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<long?>(Volatile.Read(ref _asked) - Forgets - ForgetsInCrash);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A host whose runs last a moment.</summary>
internal static class Hosts
{
    public static BenchHost New(TextWriter output, TextWriter? json = null) => new(
        new BenchOptions(IsQuick: true, [], null, "", Seed: 1, "", null) { Seconds = 0.02, Runs = 3 }, new Results(output, json));

    public static LoadCase Puts(int inFlight = 2) => new(new Puts(10, 50, 1), new LoadShape(inFlight));
}
