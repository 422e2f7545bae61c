using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Injection;

/// <summary>The disk that holds the journal is full for a while.</summary>
/// <param name="disk">The disk; null = it could not be mounted. Asked when it is needed.</param>
internal sealed class DiskFull(Func<SmallDisk?> disk) : Fault("disk-full")
{
    private SmallDisk? _full;

    public override string? Unavailable => SmallDisk.Unavailable;

    public override (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        SmallDisk small = disk() ?? throw new InvalidOperationException("The system was not started.");
        long bytes = await small.FillAsync();
        _full = small;
        return $"the journal's disk is full at {bytes / 1024} KiB";
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _full, null) is { } full)
            await full.EmptyAsync();
    }
}
