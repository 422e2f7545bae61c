using System.Collections.Concurrent;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// One agent's decided commits on their way from whichever thread decided them to the grain's own scheduler, which
/// raises them as events in the same order. Bounded: what does not fit is decided again later.
/// </summary>
/// <param name="hosting">Patience and clock.</param>
/// <param name="tryRaise">Raises one at once, where the caller is on the grain's scheduler; false where it is not.</param>
/// <param name="schedule">Asks for <see cref="TakeAll"/> on the grain's scheduler, soon.</param>
internal sealed class GrainAppendQueue(AgentHosting hosting, Func<AgentAppend, bool> tryRaise, Action schedule) : IAppendQueue
{
    // A few round trips' worth of one hot agent; the group-commit writer bounds all agents together.
    private const int AppendsMax = 4096;
    private const long BytesMax = 16 * 1024 * 1024;

    private readonly ConcurrentQueue<AgentAppend> _queue = new();
    private TaskCompletionSource? _room;
    private int _scheduled;
    private int _count;
    private long _bytes;

    private bool HasRoom => Volatile.Read(ref _count) < AppendsMax && Volatile.Read(ref _bytes) < BytesMax;

    public bool TryAppend(AppendUnit unit, IAppendObserver observer)
    {
        if (!HasRoom)
            return false;
        var append = new AgentAppend(unit, observer);
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, append.Bytes);
        // The agent's lock is held, so nobody else comes in between: behind nothing that waits, order is kept either way.
        if (_queue.IsEmpty && tryRaise(append))
            return true;
        _queue.Enqueue(append);
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
            schedule();
        return true;
    }

    public async ValueTask WaitForRoomAsync(AgentId agent, CancellationToken cancellationToken)
    {
        long began = hosting.Clock.GetTimestamp();
        while (true)
        {
            Task room = GetOrAddRoom();
            if (HasRoom)
                return;
            TimeSpan left = hosting.Options.TurnPatience - hosting.Clock.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
                throw new JournalBusyException($"Agent {agent} has {_count} commits waiting; nothing was written. Try again shortly.");
            try
            {
                await room.WaitAsync(left, hosting.Clock, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // The loop looks once more, and then gives up.
            }
        }
    }

    /// <summary>Everything that waits, in the order in which it was decided.</summary>
    public List<AgentAppend> TakeAll()
    {
        Volatile.Write(ref _scheduled, 0);
        // After the flag: whoever queues from here on asks again.
        Interlocked.MemoryBarrier();
        var all = new List<AgentAppend>();
        while (_queue.TryDequeue(out AgentAppend? append))
            all.Add(append);
        return all;
    }

    /// <summary>The journal has answered for these.</summary>
    public void OnEnded(IReadOnlyList<AgentAppend> appends)
    {
        Interlocked.Add(ref _count, -appends.Count);
        long bytes = 0;
        foreach (AgentAppend append in appends)
            bytes += append.Bytes;
        Interlocked.Add(ref _bytes, -bytes);
        if (Volatile.Read(ref _room) is not null)
            Interlocked.Exchange(ref _room, null)?.TrySetResult();
    }

    private Task GetOrAddRoom()
    {
        if (Volatile.Read(ref _room) is { } room)
            return room.Task;
        var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _room, fresh, null) ?? fresh).Task;
    }
}
