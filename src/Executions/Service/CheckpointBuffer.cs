using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>A checkpoint that waits in memory.</summary>
internal sealed record BufferedCheckpoint(long Step, JsonText State, long? Token);

/// <summary>
/// Checkpoints whose callers do not wait for the disk: in this process's memory only, so a crash loses them. Written
/// when enough wait or the first has waited long enough; per execution in order, each as a commit of its own.
/// </summary>
/// <remarks>
/// Invariants, under <c>_lock</c>: <c>_bytes</c> and <c>_count</c> are those of all queues; a queue that is being written
/// keeps its items until they are durable. A fault leaves them waiting for the next turn; a refusal drops them and is
/// told to the next caller.
/// </remarks>
internal sealed class CheckpointBuffer : IAsyncDisposable
{
    /// <summary>Writes checkpoints of one execution in order. Returns how many became durable, and what refused the next.</summary>
    public delegate ValueTask<(int Written, StatehouseException? Error)> Writer(
        AgentId agent, IReadOnlyList<BufferedCheckpoint> checkpoints, CancellationToken cancellationToken);

    // Executions written at once by the background loop.
    private const int WritersMax = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<AgentId, Waiting> _waiting = [];
    private readonly Writer _write;
    private readonly ExecutionOptions _options;
    private readonly TimeProvider _clock;
    private readonly IOperatorLog _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Task _loop;
    private long _bytes;
    private int _count;

    public CheckpointBuffer(Writer write, ExecutionOptions options, TimeProvider clock, IOperatorLog log)
    {
        _write = write;
        _options = options;
        _clock = clock;
        _log = log;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Checkpoints that wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Something waits for this execution, or is to be told to its next caller. Costs nothing where nothing was ever buffered.</summary>
    public bool MayHold(AgentId agent)
    {
        if (_waiting.Count == 0)
            return false;
        lock (_lock)
            return _waiting.ContainsKey(agent);
    }

    /// <returns>How many wait for this execution now.</returns>
    /// <exception cref="StateConflictException">SH-1001. An earlier one was refused, or the step is not above the last one that waits.</exception>
    /// <exception cref="JournalBusyException">SH-2003. The buffer is full.</exception>
    public int Add(AgentId agent, BufferedCheckpoint checkpoint)
    {
        int waiting;
        bool isFirst;
        lock (_lock)
        {
            ThrowIfRefusedNeedsLock(agent);
            if (_bytes + checkpoint.State.Length > _options.BufferedBytesMax)
                throw new JournalBusyException($"{_bytes} bytes of checkpoints are buffered; the bound is {_options.BufferedBytesMax}. Try again shortly.");
            if (!_waiting.TryGetValue(agent, out Waiting? queue))
                _waiting[agent] = queue = new Waiting();
            if (queue.Items.Count > 0 && queue.Items[^1].Step >= checkpoint.Step)
                throw NotAbove(agent, checkpoint.Step, queue.Items[^1].Step);
            queue.Items.Add(checkpoint);
            _bytes += checkpoint.State.Length;
            waiting = queue.Items.Count;
            isFirst = ++_count == 1;
        }
        ExecutionsMetrics.Buffered.Add(1);
        if (isFirst || Count == _options.BatchSize)
            _wake.Release();
        return waiting;
    }

    /// <summary>Writes what waits for one execution.</summary>
    /// <returns>How many were written by this call.</returns>
    /// <exception cref="StateConflictException">SH-1001. One was refused; what waited behind it is gone.</exception>
    public async ValueTask<int> FlushAsync(AgentId agent, CancellationToken cancellationToken)
    {
        Waiting? queue;
        lock (_lock)
        {
            ThrowIfRefusedNeedsLock(agent);
            if (!_waiting.TryGetValue(agent, out queue))
                return 0;
        }
        // A caller who goes does not stop it half-way: what is on its way would be sent again, and refused.
        (int written, StatehouseException? error) = await WriteAsync(agent, queue).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        if (error is not null && error.Code.Kind() == ErrorKind.Fault)
            throw error;
        lock (_lock)
            ThrowIfRefusedNeedsLock(agent);
        return written;
    }

    /// <summary>Stops the loop and writes what still waits.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        await FlushAllAsync().ConfigureAwait(false);
        if (Count > 0)
            _log.Write(OperatorLogLevel.Error, $"{Count} buffered checkpoints could not be written and are lost.", null);
        _stopping.Dispose();
        _wake.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync(_stopping.Token).ConfigureAwait(false);
                if (Count == 0)
                    continue;
                if (Count < _options.BatchSize)
                    await AwaitMoreAsync().ConfigureAwait(false);
                if (!await FlushAllAsync().ConfigureAwait(false))
                    await Task.Delay(_options.FlushInterval, _clock, _stopping.Token).ConfigureAwait(false);
                if (Count > 0)
                    _wake.Release();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopped: DisposeAsync writes the rest.
        }
    }

    /// <summary>Returns when enough wait, or the first has waited long enough.</summary>
    private async Task AwaitMoreAsync()
    {
        using var late = new CancellationTokenSource(_options.FlushInterval, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _stopping.Token);
        try
        {
            await _wake.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            // Its time has come.
        }
    }

    /// <summary>Writes what waits.</summary>
    /// <returns>false where the journal was away: what waits still waits.</returns>
    public async Task<bool> FlushAllAsync()
    {
        int faults = 0;
        KeyValuePair<AgentId, Waiting>[] all;
        lock (_lock)
            all = [.. _waiting.Where(waiting => waiting.Value.Items.Count > 0)];
        await Parallel.ForEachAsync(
            all, new ParallelOptions { MaxDegreeOfParallelism = WritersMax },
            async (waiting, _) =>
            {
                (int _, StatehouseException? error) = await WriteAsync(waiting.Key, waiting.Value).ConfigureAwait(false);
                if (error is not null && error.Code.Kind() == ErrorKind.Fault)
                    Interlocked.Increment(ref faults);
            }).ConfigureAwait(false);
        return faults == 0;
    }

    private async ValueTask<(int Written, StatehouseException? Error)> WriteAsync(AgentId agent, Waiting queue)
    {
        await queue.Turn.WaitAsync().ConfigureAwait(false);
        try
        {
            BufferedCheckpoint[] items;
            lock (_lock)
                items = [.. queue.Items];
            if (items.Length == 0)
                return (0, null);
            (int written, StatehouseException? error) = await _write(agent, items, CancellationToken.None).ConfigureAwait(false);
            OnWritten(agent, queue, written, error);
            return (written, error);
        }
        finally
        {
            queue.Turn.Release();
        }
    }

    private void OnWritten(AgentId agent, Waiting queue, int written, StatehouseException? error)
    {
        lock (_lock)
        {
            // An execution whose journal is broken takes nothing any more either.
            bool isRefused = error is not null && error.Code.Kind() != ErrorKind.Fault;
            int gone = isRefused ? queue.Items.Count : written;
            if (isRefused)
                queue.Refused = (queue.Items[written].Step, gone - written, error!);
            _bytes -= queue.Items.Take(gone).Sum(item => (long)item.State.Length);
            _count -= gone;
            ExecutionsMetrics.Buffered.Add(-gone);
            queue.Items.RemoveRange(0, gone);
            if (queue.Items.Count == 0 && queue.Refused is null)
                _waiting.Remove(agent);
        }
        if (error is not null)
            _log.Write(OperatorLogLevel.Warning, $"A buffered checkpoint of execution {agent} was not written: {error.Message}", null);
    }

    /// <summary>Tells once what became of earlier ones.</summary>
    private void ThrowIfRefusedNeedsLock(AgentId agent)
    {
        if (!_waiting.TryGetValue(agent, out Waiting? queue) || queue.Refused is not { } refused)
            return;
        queue.Refused = null;
        if (queue.Items.Count == 0)
            _waiting.Remove(agent);
        var details = new Dictionary<string, string>(refused.Error.Details)
        {
            ["buffered_step"] = Text(refused.Step),
            ["dropped"] = Text(refused.Dropped),
        };
        throw new StateConflictException(
            $"The buffered checkpoint of step {Text(refused.Step)} was refused, and {Text(refused.Dropped - 1)} that waited behind it were dropped: {refused.Error.Message}")
        {
            Details = details,
        };
    }

    private static StateConflictException NotAbove(AgentId agent, long step, long last) =>
        new($"Step {Text(step)} of execution \"{agent.Name}\" is not above {Text(last)}, which is buffered.")
        {
            Details = new Dictionary<string, string>
            {
                ["namespace"] = agent.Namespace, ["execution_id"] = agent.Name, ["step"] = Text(last), ["given"] = Text(step),
            },
        };

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private sealed class Waiting
    {
        public List<BufferedCheckpoint> Items { get; } = [];

        public SemaphoreSlim Turn { get; } = new(1);

        public (long Step, int Dropped, StatehouseException Error)? Refused { get; set; }
    }
}
