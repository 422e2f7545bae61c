namespace Statehouse.LocalCluster;

/// <summary>What a command works with.</summary>
/// <param name="Folder">Where the cluster is.</param>
/// <param name="SiloProgram">The dll that a process runs; null where it was not built.</param>
/// <param name="MissingPackages">What the package source lacks for it; null where it was found, or nobody looked.</param>
/// <param name="Ending">Cancelled by SIGINT and SIGTERM.</param>
internal sealed record ClusterSession(ClusterFolder Folder, string? SiloProgram, string? MissingPackages, CancellationToken Ending)
{
    /// <summary>Data, to standard output.</summary>
    public void Print(string line) => Console.Out.WriteLine(line);

    /// <summary>What is going on, to standard error.</summary>
    public void Note(string line) => Console.Error.WriteLine($"statehouse: {line}");

    /// <exception cref="ClusterFailure">No cluster can run here, and none is there to be looked at or ended.</exception>
    public void RequireMachine()
    {
        if (!OperatingSystem.IsLinux())
            throw new ClusterFailure("clusters of local processes run on Linux only.");
        if (MissingPackages is not null && !Folder.HoldsCluster)
            throw new ClusterFailure($"there is no Orleans runtime to run a cluster on: the package source lacks {MissingPackages}.", ClusterExitCode.NoRuntime);
    }

    /// <summary>Runs what may take its time, within a bound.</summary>
    /// <exception cref="ClusterFailure">It failed, or took longer.</exception>
    public async Task WithinAsync(TimeSpan bound, Func<CancellationToken, Task> run)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(Ending);
        both.CancelAfter(bound);
        try
        {
            await run(both.Token);
        }
        catch (OperationCanceledException error) when (!Ending.IsCancellationRequested)
        {
            throw new ClusterFailure($"it took longer than {bound.TotalSeconds} s, which --timeout sets.", inner: error);
        }
    }

    /// <summary>Takes the folder for a command that changes a cluster which is there.</summary>
    /// <exception cref="ClusterFailure">There is none, or another command works on it.</exception>
    public LiveCluster Open()
    {
        Folder.Load();
        FolderLock held = FolderLock.Take(Folder);
        try
        {
            // Again: it may have changed before the lock was ours.
            return new LiveCluster(this, Folder.Load(), held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }
}
