using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// Thins what snapshots silos have left behind when they died. It is not reentrant, so a pass that takes longer than
/// the time between two reminders delays the next one and never meets it.
/// </summary>
/// <remarks>Idempotency keys need no such work: an agent remembers its last 1,000, in its state, and forgets as it commits.</remarks>
[GrainType("statehouse.maintenance")]
internal sealed class MaintenanceGrain(AgentHosting hosting, MaintenanceOptions options, SnapshotThinning thinning) : Grain, IMaintenanceGrain, IRemindable
{
    internal const string Reminder = "snapshots";

    public async Task ScheduleAsync()
    {
        // Registering it anew would put it off by a whole period each time a silo starts.
        if (await this.GetReminder(Reminder) is null)
            await this.RegisterOrUpdateReminder(Reminder, options.FirstAfter, options.Every);
    }

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        try
        {
            long dropped = await thinning.RunAsync(CancellationToken.None);
            if (dropped > 0)
                hosting.Log.Write(OperatorLogLevel.Information, $"{dropped} snapshots that were left behind are dropped.", null);
        }
        catch (StatehouseException error)
        {
            hosting.Log.Write(OperatorLogLevel.Warning, "Snapshots were not thinned; the next reminder tries again.", error);
        }
    }
}
