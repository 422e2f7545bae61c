namespace Statehouse.Silo;

/// <summary>Leaves signals to the program: the generic host would take SIGTERM and Ctrl-C for itself.</summary>
internal sealed class QuietLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
