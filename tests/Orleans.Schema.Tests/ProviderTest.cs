using Statehouse.Testing;

// One database for all: some operations clear what others may be reading.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(Statehouse.OrleansTables.Tests.OrleansDatabase))]

namespace Statehouse.OrleansTables.Tests;

/// <summary>A test that asks Orleans' own providers.</summary>
public abstract class ProviderTest(OrleansDatabase database) : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected OrleansDatabase Database => database;

    /// <summary>A time that survives PostgreSQL's microseconds.</summary>
    protected static DateTime Time(double minutes = 0) =>
        new DateTime(Now.Ticks - Now.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc).AddMinutes(minutes);

    /// <summary>A name that no other test uses.</summary>
    protected static string NewName() => Guid.NewGuid().ToString("N")[..12] + "x";

    public virtual ValueTask InitializeAsync()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        return ValueTask.CompletedTask;
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
