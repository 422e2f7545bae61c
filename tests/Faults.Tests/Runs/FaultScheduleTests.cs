using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Tests.Runs;

public sealed class FaultScheduleTests
{
    private static readonly FaultKind[] Kinds =
        [Kind("kill", 0.5, 8), Kind("stop", 0.5, 15), Kind("cut", 1, 3), Kind("full", 3, 10), Kind("jump", 0.5, 8)];

    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(5);

    [Fact]
    public void One_seed_makes_one_schedule_in_whatever_order_the_faults_are_named() =>
        Assert.Equal(FaultSchedule.Make(7, Duration, Kinds), FaultSchedule.Make(7, Duration, Kinds.Reverse()));

    /// <summary>What was printed once must still be what the seed means.</summary>
    [Fact]
    public void A_seed_means_the_same_in_every_process_and_version()
    {
        PlannedFault first = FaultSchedule.Make(7, Duration, Kinds)[0];
        Assert.Equal(new PlannedFault(1, TimeSpan.FromSeconds(2), "kill", TimeSpan.FromMilliseconds(669), 545942559), first);
    }

    [Fact]
    public void Another_seed_makes_another_schedule() =>
        Assert.NotEqual(FaultSchedule.Make(7, Duration, Kinds), FaultSchedule.Make(8, Duration, Kinds));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_fault_comes_up_within_its_bounds_and_before_the_calm_end(int seed)
    {
        IReadOnlyList<PlannedFault> schedule = FaultSchedule.Make(seed, Duration, Kinds);
        Assert.Equal(Kinds.Select(kind => kind.Name).Order(), schedule.Select(fault => fault.Fault).Distinct().Order());
        Assert.Equal(Enumerable.Range(1, schedule.Count), schedule.Select(fault => fault.Number));
        Assert.All(schedule, fault =>
        {
            FaultKind kind = Kinds.Single(kind => kind.Name == fault.Fault);
            // In a burst a fault is over sooner than it would be alone.
            Assert.InRange(fault.Lasts, TimeSpan.FromSeconds(Math.Min(1.5, kind.Least.TotalSeconds)), kind.Most);
            Assert.InRange(fault.At, TimeSpan.FromSeconds(2), Duration - TimeSpan.FromSeconds(5));
        });
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void No_fault_comes_again_while_it_lasts_but_different_ones_overlap(int seed)
    {
        IReadOnlyList<PlannedFault> schedule = FaultSchedule.Make(seed, TimeSpan.FromMinutes(30), Kinds);
        List<(PlannedFault One, PlannedFault Next)> overlaps =
            [.. from one in schedule
                from next in schedule
                where one.Number < next.Number && next.At < one.At + one.Lasts
                select (one, next)];
        Assert.NotEmpty(overlaps);
        Assert.All(overlaps, overlap => Assert.NotEqual(overlap.One.Fault, overlap.Next.Fault));
    }

    [Fact]
    public void Without_faults_the_schedule_is_empty() => Assert.Empty(FaultSchedule.Make(7, Duration, []));

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    private static FaultKind Kind(string name, double least, double most) => new(name, TimeSpan.FromSeconds(least), TimeSpan.FromSeconds(most));
}
