using System.Globalization;

namespace Statehouse.Costs.Tests.Allocations;

/// <summary>The process whose allocations are counted: runs each operation many times and prints the bytes of one.</summary>
internal static class AllocationCounter
{
    public const string Command = "count-allocations";

    private const int WarmUp = 100;
    private const int Rounds = 3;
    private const int PerRound = 100;

    /// <summary>Prints a line for each operation: its name, a tab, the median of the rounds in bytes, and all rounds.</summary>
    public static async Task<int> RunAsync()
    {
        await using Operations operations = await Operations.StartAsync();
        foreach ((string name, Func<ValueTask> run) in operations.InProcess)
            Print(name, await MedianAsync(() => RepeatAsync(run)));
        foreach ((string name, Action run) in operations.OverSockets)
            Print(name, await MedianAsync(() => ValueTask.FromResult(Repeat(run))));
        Print("agent in memory", await MedianAsync(() => CreateAsync(operations)));
        return 0;
    }

    private static async Task<double[]> MedianAsync(Func<ValueTask<long>> repeat)
    {
        for (int i = 0; i < WarmUp / PerRound; i++)
            await repeat();
        double[] rounds = new double[Rounds];
        for (int i = 0; i < Rounds; i++)
            rounds[i] = await repeat() / (double)PerRound;
        Array.Sort(rounds);
        return rounds;
    }

    /// <returns>Bytes that the whole process allocated.</returns>
    private static async ValueTask<long> RepeatAsync(Func<ValueTask> run)
    {
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < PerRound; i++)
            await run();
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    /// <returns>Bytes that the process allocated, but for this thread, which is the client.</returns>
    private static long Repeat(Action run)
    {
        long all = GC.GetTotalAllocatedBytes(precise: true);
        long own = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < PerRound; i++)
            run();
        own = GC.GetAllocatedBytesForCurrentThread() - own;
        return GC.GetTotalAllocatedBytes(precise: true) - all - own;
    }

    /// <returns>Bytes that stay when agents were written and nobody uses them any more.</returns>
    private static async ValueTask<long> CreateAsync(Operations operations)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < PerRound; i++)
            await operations.CreateAgentAsync();
        return GC.GetTotalMemory(forceFullCollection: true) - before;
    }

    private static void Print(string name, double[] rounds)
    {
        string all = string.Join(' ', rounds.Select(static round => round.ToString("0", CultureInfo.InvariantCulture)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}\t{rounds[Rounds / 2]:0.#}\t{all}"));
    }
}
