namespace Statehouse.LocalCluster;

/// <summary>Ends processes of the cluster.</summary>
internal static class ProcessEnding
{
    /// <summary>A process cuts off by itself what still runs after the bound.</summary>
    public static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(40);

    /// <summary>What SIGKILL hits is gone as soon as the kernel comes to it.</summary>
    private static readonly TimeSpan KillBound = TimeSpan.FromSeconds(10);

    /// <summary>SIGTERM, and waits.</summary>
    /// <returns>False where it still runs after the bound.</returns>
    public static async Task<bool> DrainAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        process.Send(EndingSignal.Terminate);
        return await process.HasEndedWithinAsync(DrainBound, cancellationToken);
    }

    /// <summary>SIGKILL, and waits.</summary>
    /// <exception cref="ClusterFailure">Even that did not end it.</exception>
    public static async Task KillAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        process.Send(EndingSignal.Kill);
        if (!await process.HasEndedWithinAsync(KillBound, cancellationToken))
            throw new ClusterFailure($"process {process.Pid} still runs {KillBound.TotalSeconds} s after SIGKILL");
    }
}
