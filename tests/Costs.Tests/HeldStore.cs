using System.Reflection;
using Statehouse.Journal;

namespace Statehouse.Costs.Tests;

/// <summary>
/// A store whose next write can be held at its door, so that a test knows what gathers behind it: how large batches get
/// depends on the machine's speed otherwise. All other calls pass.
/// </summary>
public class HeldStore : DispatchProxy
{
    private IJournalStore _store = null!;
    private Hold? _hold;

    public static (IJournalStore Store, HeldStore Door) Before(IJournalStore store)
    {
        IJournalStore proxy = Create<IJournalStore, HeldStore>();
        var door = (HeldStore)(object)proxy;
        door._store = store;
        return (proxy, door);
    }

    /// <summary>Holds the next write. Its <see cref="Hold.Reached"/> says that it waits; <see cref="Hold.LetGo"/> ends that.</summary>
    public Hold HoldNextWrite() => _hold = new Hold();

    protected override object? Invoke(MethodInfo? method, object?[]? arguments)
    {
        Hold? hold = method!.Name == nameof(IJournalStore.WriteAsync) ? Interlocked.Exchange(ref _hold, null) : null;
        return hold is null
            ? method.Invoke(_store, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null)
            : WriteHeldAsync(hold, (IReadOnlyList<AppendUnit>)arguments![0]!, (CancellationToken)arguments[1]!);
    }

    private async Task WriteHeldAsync(Hold hold, IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        await hold.WaitAsync();
        await _store.WriteAsync(batch, cancellationToken);
    }

    /// <summary>One write that waits.</summary>
    public sealed class Hold
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

        public void LetGo() => _released.SetResult();

        internal Task WaitAsync()
        {
            _reached.SetResult();
            return _released.Task;
        }
    }
}
