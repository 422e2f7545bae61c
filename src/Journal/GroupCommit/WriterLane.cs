using System.Threading.Channels;

namespace Statehouse.Journal.GroupCommit;

/// <summary>
/// One queue and the loop that empties it into the store. No timer: a batch is what gathered while the last one was
/// being written. Units of one agent always take the same lane, so they are written in order.
/// </summary>
internal sealed class WriterLane
{
    private readonly IJournalStore _store;
    private readonly GroupCommitOptions _options;
    private readonly IOperatorLog _log;
    private readonly Channel<QueuedUnit> _queue = Channel.CreateUnbounded<QueuedUnit>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Queue<QueuedUnit> _heldOver = new();
    private readonly Batch _batch;
    private readonly Task _loop;
    private TaskCompletionSource? _roomWaiters;
    private int _queuedUnits;
    private long _queuedBytes;

    public WriterLane(IJournalStore store, GroupCommitOptions options, IOperatorLog log)
    {
        _store = store;
        _options = options;
        _log = log;
        _batch = new Batch(options);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>False where the lane is full. An empty lane takes a unit of any size.</summary>
    /// <exception cref="JournalUnavailableException">The journal is closing.</exception>
    public bool TryQueue(AppendUnit unit, IAppendObserver observer)
    {
        var queued = new QueuedUnit(unit, observer);
        if (!TryReserve(queued.Bytes))
            return false;
        if (!_queue.Writer.TryWrite(queued))
        {
            Release(1, queued.Bytes);
            throw new JournalUnavailableException("The journal is closing; nothing was written.");
        }
        return true;
    }

    public bool HasRoom =>
        Volatile.Read(ref _queuedUnits) < _options.QueuedUnitsMax && Interlocked.Read(ref _queuedBytes) < _options.QueuedBytesMax;

    /// <summary>Returns after the next batch at the latest, or when cancelled.</summary>
    public async Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (!HasRoom)
        {
            TaskCompletionSource waiters = GetOrAddRoomWaiters();
            // A batch may have ended between the look at the queue and the subscription.
            if (HasRoom)
                return;
            await waiters.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes no more units; returns when the queue is written and everyone was told.</summary>
    public Task DrainAsync()
    {
        _queue.Writer.TryComplete();
        _options.OnCrashPoint?.Invoke(CrashPoint.InJournalDrain);
        return _loop;
    }

    private async Task RunAsync()
    {
        while (_heldOver.Count > 0 || await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            Gather();
            if (!_batch.IsEmpty)
                await WriteBatchAsync().ConfigureAwait(false);
            _batch.Clear();
        }
    }

    private void Gather()
    {
        int heldOver = _heldOver.Count;
        for (int i = 0; i < heldOver; i++)
            AddOrHoldOver(_heldOver.Dequeue());
        // A unit that is held over bars the way for the rest: units of one agent must not overtake each other.
        while (_heldOver.Count == 0 && !_batch.IsFull && _queue.Reader.TryRead(out QueuedUnit? queued))
            AddOrHoldOver(queued);
    }

    private void AddOrHoldOver(QueuedUnit queued)
    {
        if (_heldOver.Count > 0 || !_batch.TryAdd(queued))
            _heldOver.Enqueue(queued);
    }

    private async Task WriteBatchAsync()
    {
        try
        {
            _options.OnCrashPoint?.Invoke(CrashPoint.BeforeAppend);
            await _store.WriteAsync(_batch.ToUnits(), CancellationToken.None).ConfigureAwait(false);
            _options.OnCrashPoint?.Invoke(CrashPoint.AfterCommitBeforeReply);
            JournalMetrics.Batches.Add(1);
            JournalMetrics.BatchCommits.Record(_batch.CommitCount);
            _batch.Settle();
        }
        catch (StatehouseException reason)
        {
            _log.Write(OperatorLogLevel.Warning, $"A batch of {_batch.CommitCount} commits was not acknowledged ({reason.Code.Text()}).", reason);
            _batch.Fail(reason);
        }
        catch (Exception error)
        {
            // A store throws only what its contract names. Whatever this is, nobody knows what was written. Units that
            // were told their outcome before it keep that.
            _log.Write(OperatorLogLevel.Error, "The journal store failed in a way that it does not declare.", error);
            _batch.Fail(new JournalOutcomeUnknownException("The journal store failed unexpectedly; the outcome is unknown.", error));
        }
        Release(_batch.UnitCount, _batch.Bytes);
    }

    private bool TryReserve(long bytes)
    {
        int units = Interlocked.Increment(ref _queuedUnits);
        long total = Interlocked.Add(ref _queuedBytes, bytes);
        if (units == 1 || (units <= _options.QueuedUnitsMax && total <= _options.QueuedBytesMax))
        {
            JournalMetrics.Queued.Add(1);
            return true;
        }
        Interlocked.Decrement(ref _queuedUnits);
        Interlocked.Add(ref _queuedBytes, -bytes);
        return false;
    }

    private void Release(int units, long bytes)
    {
        JournalMetrics.Queued.Add(-units);
        Interlocked.Add(ref _queuedUnits, -units);
        Interlocked.Add(ref _queuedBytes, -bytes);
        Interlocked.Exchange(ref _roomWaiters, null)?.TrySetResult();
    }

    private TaskCompletionSource GetOrAddRoomWaiters()
    {
        TaskCompletionSource? waiters = Volatile.Read(ref _roomWaiters);
        if (waiters is not null)
            return waiters;
        var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _roomWaiters, fresh, null) ?? fresh;
    }
}
