using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>Says of each batch that it is durable, and writes it a moment later.</summary>
/// <remarks>
/// It foretells SQLite's commit_ts, and whoever reads the store waits until it is written: nothing but a kill in that
/// moment shows that anything is wrong.
/// </remarks>
internal sealed class EarlyStore : StoreDecorator
{
    private readonly Channel<IReadOnlyList<AppendUnit>> _queue = Channel.CreateUnbounded<IReadOnlyList<AppendUnit>>();
    private readonly Lock _lock = new();
    private readonly TimeSpan _delay;
    private readonly Task _loop;
    private TaskCompletionSource _flushed = NewFlush(done: true);
    private long _queuedBatches;
    private long _last = -1;

    /// <param name="inner">SQLite.</param>
    /// <param name="delay">How much later a batch is written than it is acknowledged.</param>
    public EarlyStore(IJournalStore inner, TimeSpan delay)
        : base(inner)
    {
        _delay = delay;
        if (inner.IsShared)
            throw new NotSupportedException("Where others write too, the positions of commits cannot be foretold.");
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Done when all that was said to be durable so far is.</summary>
    public Task FlushedAsync()
    {
        lock (_lock)
            return _flushed.Task;
    }

    public override async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        if (_last < 0)
            _last = (await Inner.ReadFeedEndAsync(cancellationToken)).Value;
        AppendUnit[] copies = [.. batch.Select(Units.Copy)];
        lock (_lock)
        {
            if (_queuedBatches++ == 0)
                _flushed = NewFlush(done: false);
        }
        foreach (AppendUnit unit in batch)
            Acknowledge(unit);
        _queue.Writer.TryWrite(copies);
    }

    public override async Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken cancellationToken)
    {
        await FlushedAsync().WaitAsync(cancellationToken);
        return await base.ReadHeadAsync(handle, cancellationToken);
    }

    public override async IAsyncEnumerable<JournalCommit> ReadForwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await FlushedAsync().WaitAsync(cancellationToken);
        await foreach (JournalCommit commit in base.ReadForwardAsync(handle, fromInclusive, toInclusive, cancellationToken))
            yield return commit;
    }

    public override async IAsyncEnumerable<JournalCommit> ReadBackwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await FlushedAsync().WaitAsync(cancellationToken);
        await foreach (JournalCommit commit in base.ReadBackwardAsync(handle, fromInclusive, toInclusive, cancellationToken))
            yield return commit;
    }

    public override async Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken)
    {
        await FlushedAsync().WaitAsync(cancellationToken);
        await base.WriteSnapshotAsync(handle, snapshot, cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        await base.DisposeAsync();
    }

    private void Acknowledge(AppendUnit unit)
    {
        bool isOneTransaction = unit.Runs.Count > 1;
        if (isOneTransaction)
            _last++;
        foreach (CommitTs[] positions in unit.Runs.Select(run => run.CommitTs))
        {
            for (int i = 0; i < positions.Length; i++)
                positions[i] = new CommitTs(isOneTransaction ? _last : ++_last);
        }
        unit.Outcome = AppendOutcome.Appended;
    }

    private async Task RunAsync()
    {
        while (await _queue.Reader.WaitToReadAsync())
        {
            await Task.Delay(_delay);
            while (_queue.Reader.TryRead(out IReadOnlyList<AppendUnit>? batch))
            {
                await Inner.WriteAsync(batch, CancellationToken.None);
                lock (_lock)
                {
                    if (--_queuedBatches == 0)
                        _flushed.SetResult();
                }
            }
        }
    }

    private static TaskCompletionSource NewFlush(bool done)
    {
        var flush = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (done)
            flush.SetResult();
        return flush;
    }
}
