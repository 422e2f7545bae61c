namespace Statehouse.Journal;

/// <summary>Hears what became of a unit. Called once, on the writer's own loop: be quick, never block, never throw.</summary>
public interface IAppendObserver
{
    /// <summary>The unit is durable; every run's <see cref="AppendRun.CommitTs"/> is set.</summary>
    void OnAppended(AppendUnit unit);

    /// <summary>The unit was refused (<see cref="StateConflictException"/>), failed, or its outcome is unknown.</summary>
    void OnFailed(AppendUnit unit, StatehouseException reason);
}

/// <summary>Takes decided commits on their way to the store, in a bounded queue.</summary>
public interface IAppendQueue
{
    /// <summary>
    /// Queues a unit. Units of one agent are written in the order in which they were queued. Returns at once.
    /// </summary>
    /// <returns>false where the queue is full: nothing was queued; await <see cref="WaitForRoomAsync"/> and decide again.</returns>
    bool TryAppend(AppendUnit unit, IAppendObserver observer);

    /// <summary>Waits until the queue has room for a unit of <paramref name="agent"/>.</summary>
    /// <exception cref="JournalBusyException">SH-2003. Still full after the configured patience.</exception>
    ValueTask WaitForRoomAsync(AgentId agent, CancellationToken cancellationToken);
}

/// <summary>The journal of a process: a store behind a group-commit writer with bounded queues.</summary>
public interface IJournal : IAppendQueue, IAsyncDisposable
{
    /// <summary>For everything that reads, and for snapshots.</summary>
    IJournalStore Store { get; }

    /// <summary>Stops taking units, writes what is queued, and returns when all observers were told.</summary>
    Task DrainAsync(CancellationToken cancellationToken);
}
