namespace Statehouse.Faults.Injection;

/// <summary>One way in which things go wrong.</summary>
public interface IFault
{
    /// <summary>For instance <c>kill-server</c>: what a schedule and a report call it.</summary>
    string Name { get; }

    /// <summary>Null where it can be done here; otherwise why not (no right to mount, a program is missing): reported, never silent.</summary>
    string? Unavailable { get; }

    /// <summary>Between which bounds a schedule draws how long it lasts before it is undone.</summary>
    (TimeSpan Least, TimeSpan Most) Lasts => (TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(8));

    /// <summary>Does it. Returns at once, or when the harm is done.</summary>
    /// <param name="random">Chooses the victim and the size.</param>
    /// <param name="cancellationToken">Ends with the run.</param>
    /// <returns>What was done, for the schedule: <c>kill -9 server 2 (pid 4711)</c>.</returns>
    Task<string> InjectAsync(Random random, CancellationToken cancellationToken);

    /// <summary>Undoes it: resumes, restarts, reconnects. Does nothing where there is nothing to undo.</summary>
    Task HealAsync(CancellationToken cancellationToken);
}
