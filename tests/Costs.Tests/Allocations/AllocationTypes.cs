using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Globalization;

namespace Statehouse.Costs.Tests.Allocations;

/// <summary>
/// For whoever wants a number of <see cref="AllocationCosts"/> to go down: which types an operation's bytes are. The
/// runtime samples an object per about 100 KB, so the shares are estimates.
/// </summary>
internal sealed class AllocationTypes : EventListener
{
    public const string Command = "allocations-by-type";

    private const int Operations = 20_000;
    private const EventKeywords AllocationSampling = (EventKeywords)0x80000000000;

    private readonly ConcurrentDictionary<string, long> _samples = new();
    private volatile bool _isCounting;

    /// <summary>Prints a line for each type: estimated bytes per operation, and its name.</summary>
    public static async Task<int> RunAsync(string operation)
    {
        using var types = new AllocationTypes();
        await using Operations operations = await Allocations.Operations.StartAsync();
        Func<ValueTask> run = operations.InProcess.TryGetValue(operation, out Func<ValueTask>? inProcess) ? inProcess : OverSocket;
        for (int i = 0; i < Operations; i++)
        {
            types._isCounting = i >= Operations / 10;
            await run();
        }
        types._isCounting = false;
        const double counted = Operations * 0.9;
        foreach ((string type, long bytes) in types._samples.OrderByDescending(static each => each.Value))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes / counted,8:0}  {type}"));
        return 0;

        ValueTask OverSocket()
        {
            operations.OverSockets[operation]();
            return ValueTask.CompletedTask;
        }
    }

    protected override void OnEventSourceCreated(EventSource source)
    {
        if (source.Name == "Microsoft-Windows-DotNETRuntime")
            EnableEvents(source, EventLevel.Informational, AllocationSampling);
    }

    protected override void OnEventWritten(EventWrittenEventArgs sampled)
    {
        if (_isCounting && sampled.EventName == "AllocationSampled" && sampled.Payload is [.., string type, _, _, _])
            _samples.AddOrUpdate(type, 100 * 1024, static (_, bytes) => bytes + 100 * 1024);
    }
}
