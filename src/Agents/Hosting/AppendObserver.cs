using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>Turns what became of one unit into a task.</summary>
public sealed class AppendObserver : IAppendObserver
{
    private readonly TaskCompletionSource<StatehouseException?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>null when durable; otherwise why not.</summary>
    public Task<StatehouseException?> Ended => _ended.Task;

    public void OnAppended(AppendUnit unit) => _ended.TrySetResult(null);

    public void OnFailed(AppendUnit unit, StatehouseException reason) => _ended.TrySetResult(reason);
}
