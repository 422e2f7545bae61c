using System.Diagnostics;
using System.Globalization;

namespace Statehouse.FrontDoors.Tests.Fuzzing;

/// <summary>
/// A bounded run of seeded cases. Each case has a generator of its own, made of the run's seed and the case's number, so that one
/// that fails is made again by the seed alone.
/// </summary>
internal sealed class FuzzRun
{
    private static readonly TimeSpan DefaultLength = TimeSpan.FromSeconds(12);

    private readonly TimeSpan _length;
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _cases;
    private volatile bool _hasFailed;

    /// <param name="share">How much of the time set this run takes: several of one test class share it.</param>
    public FuzzRun(double share = 1)
    {
        Seed = Number("STATEHOUSE_TEST_SEED") ?? Random.Shared.Next();
        _length = share * (Number("STATEHOUSE_TEST_FUZZ_SECONDS") is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultLength);
        Say($"STATEHOUSE_TEST_SEED={Seed}");
    }

    public int Seed { get; }

    /// <summary>Cases begun.</summary>
    public int Cases => Volatile.Read(ref _cases);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Runs cases until the time is up.</summary>
    /// <param name="workers">So many at once.</param>
    /// <param name="run">One case; its generator and its number.</param>
    public async Task RunAsync(int workers, Func<Random, int, Task> run)
    {
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(run), Cancelled)));
        Say($"{Cases} cases in {Stopwatch.GetElapsedTime(_started).TotalSeconds:0.0} s");
    }

    /// <summary>The generator of one case.</summary>
    public Random RandomOf(int number) => new(unchecked((Seed * 397) ^ (number * 0x5bd1e995)));

    private async Task WorkAsync(Func<Random, int, Task> run)
    {
        while (!_hasFailed && Stopwatch.GetElapsedTime(_started) < _length)
        {
            Cancelled.ThrowIfCancellationRequested();
            int number = Interlocked.Increment(ref _cases) - 1;
            try
            {
                await run(RandomOf(number), number);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                _hasFailed = true;
                throw new FuzzFailure($"Case {number} of STATEHOUSE_TEST_SEED={Seed}: {error.Message}", error);
            }
        }
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.Integer, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;

    private static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);
}

/// <summary>A case that did not end as it should; says which.</summary>
internal sealed class FuzzFailure(string message, Exception cause) : Exception(message, cause);
