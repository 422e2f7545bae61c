namespace Statehouse.Grains;

/// <summary>Work over all agents that must go on whichever silos come and go: one grain (key 0), woken by a reminder.</summary>
[Alias("statehouse.maintenance")]
internal interface IMaintenanceGrain : IGrainWithIntegerKey
{
    /// <summary>Makes sure that the reminder is there. Each silo calls it when it starts; the reminder is one for all.</summary>
    [Alias("Schedule")]
    Task ScheduleAsync();
}
