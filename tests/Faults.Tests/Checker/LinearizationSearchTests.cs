using Statehouse.Faults.Checker.Search;

namespace Statehouse.Faults.Tests.Checker;

public sealed class LinearizationSearchTests
{
    private const long StepsMax = 100_000;

    private readonly List<TimedCall<KeyCall>> _calls = [];

    [Fact]
    public void Nothing_is_linearizable() => Finds(SearchAnswer.Linearizable);

    [Fact]
    public void A_read_sees_what_was_written_before()
    {
        Put(0, 10, "1");
        Put(20, 30, "2");
        Read(40, 50, 2, "2");
        Finds(SearchAnswer.Linearizable);
    }

    [Fact]
    public void A_stale_read_has_no_place()
    {
        Put(0, 10, "1");
        Put(20, 30, "2");
        Read(40, 50, 1, "1");
        Finds(SearchAnswer.NotLinearizable);
    }

    [Fact]
    public void A_read_beside_a_write_sees_either_state()
    {
        Put(0, 10, "1");
        Put(20, 60, "2");
        Read(40, 50, 1, "1");
        Read(41, 51, 2, "2");
        Finds(SearchAnswer.Linearizable);
    }

    [Fact]
    public void Two_reads_beside_a_write_do_not_go_back()
    {
        Put(0, 10, "1");
        Put(20, 90, "2");
        Read(40, 50, 2, "2");
        Read(60, 70, 1, "1");
        Finds(SearchAnswer.NotLinearizable);
    }

    [Fact]
    public void Two_writers_that_replace_the_same_version_are_a_lost_update()
    {
        Put(0, 10, "1");
        Put(20, 50, "2", ifVersion: 1);
        Finds(SearchAnswer.Linearizable);
        Put(20, 50, "3", ifVersion: 1);
        Finds(SearchAnswer.NotLinearizable);
    }

    [Fact]
    public void A_write_of_unknown_outcome_may_come_late_or_never_but_not_twice()
    {
        Put(0, 10, "1");
        Put(20, long.MaxValue, "2", isOptional: true);
        Read(30, 40, 1, "1");
        Finds(SearchAnswer.Linearizable);
        Read(50, 60, 2, "2");
        Finds(SearchAnswer.Linearizable);
        Put(70, 80, "3");
        Read(90, 99, 4, "2");
        Finds(SearchAnswer.NotLinearizable);
    }

    [Fact]
    public void A_write_of_unknown_outcome_has_no_effect_before_it_was_sent()
    {
        Read(0, 10, 1, "1");
        Put(20, long.MaxValue, "1", isOptional: true);
        Finds(SearchAnswer.NotLinearizable);
    }

    [Fact]
    public void A_delete_is_a_version_too()
    {
        Put(0, 10, "1");
        Put(20, 30, null);
        Read(40, 50, 2, null);
        Finds(SearchAnswer.Linearizable);
        Read(60, 70, 0, null);
        Finds(SearchAnswer.NotLinearizable);
    }

    [Fact]
    public void Where_the_bound_is_reached_first_the_answer_is_undecided()
    {
        for (int i = 0; i < 12; i++)
            Put(0, 1_000, $"{i}");
        Read(2_000, 2_001, 12, "none of them");
        Finds(SearchAnswer.Undecided, stepsMax: 500);
        Finds(SearchAnswer.NotLinearizable, stepsMax: 10_000_000);
    }

    [Fact]
    public void A_long_history_in_the_hinted_order_takes_one_step_per_call()
    {
        var random = new Random(5);
        for (int i = 1; i <= 50_000; i++)
        {
            long at = i * 10;
            string? value = i % 2 == 1 ? $"{i}" : null;
            KeyCall call = i % 2 == 1 ? new KeyCall([(value, null)], null) : new KeyCall([], new KeyState(i / 2, $"{i - 1}"));
            _calls.Add(new TimedCall<KeyCall>(call, at - random.Next(200), at + random.Next(200), false, i, i));
        }
        SearchResult result = Run(StepsMax);
        Assert.Equal(SearchAnswer.Linearizable, result.Answer);
        Assert.InRange(result.Steps, 50_000, 50_010);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void On_small_histories_of_a_key_it_finds_what_trying_every_order_finds(int seed) =>
        AgreesWithBruteForce(new KeyModel(), new Random(seed), SmallHistories.Key);

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void On_small_histories_of_an_agent_it_finds_what_trying_every_order_finds(int seed) =>
        AgreesWithBruteForce(new AgentModel(), new Random(seed), SmallHistories.Agent);

    private static void AgreesWithBruteForce<TState, TCall>(
        IModel<TState, TCall> model, Random random, Func<Random, IReadOnlyList<TimedCall<TCall>>> history) where TState : IEquatable<TState>
    {
        const int Histories = 1_500;
        int linearizable = 0;
        for (int i = 0; i < Histories; i++)
        {
            IReadOnlyList<TimedCall<TCall>> calls = history(random);
            bool expected = BruteForce.IsLinearizable(model, calls);
            SearchResult result = LinearizationSearch<TState, TCall>.Run(model, calls, model.Initial, StepsMax);
            Assert.True((result.Answer == SearchAnswer.Linearizable) == expected && result.Answer != SearchAnswer.Undecided, $"{result}, expected {expected}:\n{string.Join("\n", calls)}");
            linearizable += expected ? 1 : 0;
            if (!expected)
                AssertSmaller(model, calls, result.BlockedAt);
        }
        // Both kinds must be there in numbers, or the comparison says little.
        Assert.InRange(linearizable, Histories / 10, Histories * 9 / 10);
    }

    /// <summary>What is left by shrinking still contradicts itself, whatever became of the other writes.</summary>
    private static void AssertSmaller<TState, TCall>(IModel<TState, TCall> model, IReadOnlyList<TimedCall<TCall>> calls, long blockedAt) where TState : IEquatable<TState>
    {
        IReadOnlyList<TimedCall<TCall>> kept = Shrinker.Shrink(model, calls, blockedAt, StepsMax);
        Assert.InRange(kept.Count, 1, calls.Count);
        IEnumerable<TimedCall<TCall>> others = from call in calls
                                               where kept.All(one => one.Source != call.Source)
                                               let forgotten = model.Forget(call.Call)
                                               where forgotten is not null
                                               select call with { Call = forgotten, IsOptional = true, EndedAt = long.MaxValue };
        Assert.False(BruteForce.IsLinearizable(model, [.. kept, .. others]));
    }

    private void Put(long from, long to, string? value, long? ifVersion = null, bool isOptional = false) =>
        _calls.Add(new TimedCall<KeyCall>(new KeyCall([(value, ifVersion)], null), from, to, isOptional, long.MaxValue, _calls.Count));

    private void Read(long from, long to, long version, string? value) =>
        _calls.Add(new TimedCall<KeyCall>(new KeyCall([], new KeyState(version, value)), from, to, false, long.MaxValue, _calls.Count));

    private void Finds(SearchAnswer expected, long stepsMax = StepsMax)
    {
        SearchResult result = Run(stepsMax);
        Assert.Equal(expected, result.Answer);
        if (_calls.Count <= 7)
            Assert.Equal(expected == SearchAnswer.Linearizable, BruteForce.IsLinearizable(new KeyModel(), _calls));
    }

    private SearchResult Run(long stepsMax) => LinearizationSearch<KeyState, KeyCall>.Run(new KeyModel(), _calls, new KeyModel().Initial, stepsMax);
}
