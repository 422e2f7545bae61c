namespace Statehouse.OrleansTables.Tests;

/// <summary>What a grain keeps.</summary>
[GenerateSerializer]
public sealed class CounterState
{
    [Id(0)]
    public int Count { get; set; }

    [Id(1)]
    public string Name { get; set; } = "";
}

/// <summary>A grain that needs all three providers to live: it is placed on a silo, keeps a state and has reminders.</summary>
public interface ICounterGrain : IGrainWithStringKey
{
    /// <summary>Adds one and writes it.</summary>
    /// <returns>The sum.</returns>
    Task<int> IncrementAsync();

    Task<int> ReadAsync();

    Task ClearAsync();

    /// <summary>Leaves memory as soon as the call is done.</summary>
    Task LeaveAsync();

    Task RegisterAsync(string reminder, TimeSpan period);

    Task<string[]> RemindersAsync();

    /// <returns>Whether there was one.</returns>
    Task<bool> UnregisterAsync(string reminder);
}

/// <inheritdoc cref="ICounterGrain"/>
public sealed class CounterGrain([PersistentState("counter", OrleansDatabase.Clearing)] IPersistentState<CounterState> state)
    : Grain, ICounterGrain, IRemindable
{
    public async Task<int> IncrementAsync()
    {
        state.State.Count++;
        await state.WriteStateAsync();
        return state.State.Count;
    }

    public Task<int> ReadAsync() => Task.FromResult(state.State.Count);

    public Task ClearAsync() => state.ClearStateAsync();

    public Task LeaveAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task RegisterAsync(string reminder, TimeSpan period) => this.RegisterOrUpdateReminder(reminder, period, period);

    public async Task<string[]> RemindersAsync() => [.. (await this.GetReminders()).Select(reminder => reminder.ReminderName).Order()];

    public async Task<bool> UnregisterAsync(string reminder)
    {
        if (await this.GetReminder(reminder) is not { } found)
            return false;
        await this.UnregisterReminder(found);
        return true;
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;
}
