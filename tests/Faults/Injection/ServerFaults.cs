using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Injection;

/// <summary>What faults of one system share: the servers to choose from, and how long they last.</summary>
internal abstract class Fault(string name) : IFault
{
    public string Name => name;

    public virtual string? Unavailable => null;

    public virtual (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(8));

    public abstract Task<string> InjectAsync(Random random, CancellationToken cancellationToken);

    public abstract Task HealAsync(CancellationToken cancellationToken);

    /// <summary>Of a process that a fault hit.</summary>
    /// <exception cref="InvalidOperationException">There was none: nothing was done.</exception>
    protected static int Hit(ManagedServer victim, int id) =>
        id > 0 ? id : throw new InvalidOperationException($"{victim.Name} does not run");

    protected static T Choose<T>(IReadOnlyList<T> from, Random random) => from[random.Next(from.Count)];
}

/// <summary>kill -9; started again after a while.</summary>
internal sealed class KillServer(ProcessSystem system) : Fault("kill-server")
{
    private ManagedServer? _victim;

    public override async Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        _victim = Choose(system.Servers, random);
        int id = Hit(_victim, await _victim.KillAsync());
        return $"kill -9 {_victim.Name} (pid {id})";
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _victim, null) is not { } victim)
            return;
        victim.Release();
        await victim.EnsureStartedAsync(cancellationToken);
    }
}

/// <summary>SIGSTOP, and SIGCONT after a while: where servers share a database, others go on with its agents meanwhile.</summary>
internal sealed class StopServer(ProcessSystem system) : Fault("stop-server")
{
    private ManagedServer? _victim;

    public override (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(15));

    public override Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        _victim = Choose(system.Servers, random);
        return Task.FromResult($"SIGSTOP {_victim.Name} (pid {Hit(_victim, _victim.Stop())})");
    }

    public override Task HealAsync(CancellationToken cancellationToken)
    {
        Interlocked.Exchange(ref _victim, null)?.Continue();
        return Task.CompletedTask;
    }
}

/// <summary>SIGTERM under load; started again after a while.</summary>
internal sealed class DrainServer(ProcessSystem system) : Fault("drain-server")
{
    private Task<int?>? _draining;
    private ManagedServer? _victim;

    public override (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(4));

    public override Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        _victim = Choose(system.Servers, random);
        int id = _victim.ProcessId;
        bool isRunning = _victim.IsRunning;
        _draining = _victim.DrainAsync(CancellationToken.None);
        return Task.FromResult($"SIGTERM {_victim.Name} (pid {Hit(_victim, isRunning ? id : 0)})");
    }

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _victim, null) is not { } victim)
            return;
        await _draining!;
        victim.Release();
        await victim.EnsureStartedAsync(cancellationToken);
    }
}
