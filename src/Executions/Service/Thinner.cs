using System.Collections.Concurrent;
using System.Threading.Channels;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>
/// Thins executions off the path of their checkpoints, one after the other. One that fails keeps more than it must, never
/// less, so it is logged and dropped; the next due one tries again.
/// </summary>
internal sealed class Thinner : IAsyncDisposable
{
    private const int QueueMax = 10_000;

    private readonly Func<AgentId, CancellationToken, ValueTask> _thin;
    private readonly IOperatorLog _log;
    private readonly ConcurrentDictionary<AgentId, bool> _queued = new();
    private readonly Channel<AgentId> _queue = Channel.CreateBounded<AgentId>(
        new BoundedChannelOptions(QueueMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loop;

    public Thinner(Func<AgentId, CancellationToken, ValueTask> thin, IOperatorLog log)
    {
        _thin = thin;
        _log = log;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Where the queue is full it is left out: its next checkpoints ask again.</summary>
    public void Enqueue(AgentId agent)
    {
        if (_queued.TryAdd(agent, true) && !_queue.Writer.TryWrite(agent))
            _queued.TryRemove(agent, out _);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (AgentId agent in _queue.Reader.ReadAllAsync(_stopping.Token).ConfigureAwait(false))
            {
                _queued.TryRemove(agent, out _);
                await ThinAsync(agent).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What still waits is thinned with the next checkpoints, wherever they come in.
        }
    }

    private async Task ThinAsync(AgentId agent)
    {
        try
        {
            await _thin(agent, _stopping.Token).ConfigureAwait(false);
        }
        catch (StatehouseException error)
        {
            _log.Write(OperatorLogLevel.Warning, $"Execution {agent} was not thinned; it will be with one of its next checkpoints.", error);
        }
    }
}
