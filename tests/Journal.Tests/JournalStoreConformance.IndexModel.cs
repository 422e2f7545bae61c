using System.Globalization;
using System.Text;

namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    private const int IndexedAgents = 120;
    private const int IndexQueries = 200;

    [Fact]
    public async Task Random_index_queries_always_agree_with_a_model()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), CultureInfo.InvariantCulture, out int given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"{SeedVariable}={seed}");
        var random = new Random(seed);
        List<IndexedAgent> model = await WriteRandomIndexAsync(random);
        for (int i = 0; i < IndexQueries; i++)
        {
            IndexQuery query = RandomQuery(random);
            string[] expected = [.. Answer(model, query).Select(a => a.Agent.Name)];
            string[] found = [.. (await AllPagesAsync(query)).Select(a => a.Agent.Name)];
            Assert.True(expected.SequenceEqual(found), $"""
                Query {i} differs; repeat with {SeedVariable}={seed}. {query}
                expected: {string.Join(' ', expected)}
                found:    {string.Join(' ', found)}
                """);
        }
        IReadOnlyDictionary<byte, long> counts = await Index.CountByStatusAsync(AgentKind.Execution, "ns", Cancellation);
        Assert.Equal(model.CountBy(a => a.Row.Status).ToDictionary(c => c.Key, c => (long)c.Value), counts.ToDictionary());
    }

    /// <summary>Agents whose rows were written once or several times, with few different values, so that many are equal.</summary>
    private async Task<List<IndexedAgent>> WriteRandomIndexAsync(Random random)
    {
        var model = new List<IndexedAgent>();
        for (int i = 0; i < IndexedAgents; i++)
        {
            var agent = new Commits(new AgentId(AgentKind.Execution, "ns", $"{(char)('a' + random.Next(26))}-{i}"));
            int commits = random.Next(1, 4);
            AppendRun run = Commits.Indexed(agent.NextAt(new CommitTime(1000 + random.Next(8))), RandomRow(random));
            await AppendAsync(agent, run);
            for (int c = 1; c < commits; c++)
            {
                run = Commits.Indexed(agent.Next(), RandomRow(random));
                await AppendAsync(agent, run);
            }
            model.Add(new IndexedAgent(agent.Agent, agent.Version, agent.Time, run.Commits[0].Index!));
        }
        return model;
    }

    private static IndexRow RandomRow(Random random) => RowOf(
        (byte)random.Next(4),
        $"g{random.Next(3)}",
        [.. Enumerable.Range(0, 4).Where(_ => random.Next(3) == 0).Select(l => $"l{l}={random.Next(2)}")],
        started: random.Next(10),
        due: random.Next(3) == 0 ? null : random.Next(10));

    private static IndexQuery RandomQuery(Random random)
    {
        var query = new IndexQuery(AgentKind.Execution, "ns", random.Next(3) == 0 ? 1000 : random.Next(1, 9))
        {
            Order = (IndexOrder)random.Next(3),
            Descending = random.Next(2) == 0,
        };
        if (random.Next(2) == 0)
            query = query with { Statuses = [.. Enumerable.Range(0, 6).Where(_ => random.Next(2) == 0).Select(s => (byte)s)] };
        if (random.Next(3) == 0)
            query = query with { Group = $"g{random.Next(4)}" };
        if (random.Next(3) == 0)
            query = query with { Labels = [.. Enumerable.Range(0, 4).Where(_ => random.Next(4) == 0).Select(l => $"l{l}={random.Next(2)}")] };
        CommitTime? Maybe(int from, int to) => random.Next(3) == 0 ? new CommitTime(random.Next(from, to)) : null;
        return query with
        {
            StartedFrom = Maybe(0, 5),
            StartedTo = Maybe(4, 11),
            UpdatedFrom = Maybe(999, 1005),
            UpdatedTo = Maybe(1003, 1012),
            DueAtMost = Maybe(0, 11),
        };
    }

    /// <summary>What the contract says, said once more.</summary>
    private static IEnumerable<IndexedAgent> Answer(List<IndexedAgent> model, IndexQuery query)
    {
        IEnumerable<IndexedAgent> matching = model.Where(a =>
            (query.Statuses.IsEmpty || query.Statuses.Contains(a.Row.Status))
            && (query.Group is null || a.Row.Group == query.Group)
            && query.Labels.All(a.Row.Labels.Contains)
            && (query.StartedFrom is not { } startedFrom || a.Row.StartedAt >= startedFrom)
            && (query.StartedTo is not { } startedTo || a.Row.StartedAt < startedTo)
            && (query.UpdatedFrom is not { } updatedFrom || a.UpdatedAt >= updatedFrom)
            && (query.UpdatedTo is not { } updatedTo || a.UpdatedAt < updatedTo)
            && (query.DueAtMost is not { } due || a.Row.DueAt <= due)
            && (query.Order != IndexOrder.Due || a.Row.DueAt is not null));
        IOrderedEnumerable<IndexedAgent> ascending = matching
            .OrderBy(a => query.Order switch { IndexOrder.Started => a.Row.StartedAt, IndexOrder.Updated => a.UpdatedAt, _ => a.Row.DueAt!.Value })
            .ThenBy(a => Encoding.UTF8.GetBytes(a.Agent.Name), Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right)));
        return query.Descending ? ascending.Reverse() : ascending;
    }
}
