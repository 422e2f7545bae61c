using System.Text;

namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    private IAgentIndex Index => (IAgentIndex)Store;

    [Fact]
    public async Task An_index_row_is_found_as_soon_as_its_commit_is_acknowledged_and_after_a_reopen()
    {
        var agent = new Commits(new AgentId(AgentKind.Execution, "ns", "run-1"));
        IndexRow row = RowOf(status: 3, group: "refund", labels: ["a=1", "b=2"], started: 5, due: 77, summary: """{"step":1}""");
        await AppendIndexedAsync(agent, row);

        await AssertFoundAsync([(agent, row)], Executions());
        await ReopenAsync();
        await AssertFoundAsync([(agent, row)], Executions());
    }

    [Fact]
    public async Task The_last_index_row_of_a_run_wins_and_commits_without_one_leave_it_alone()
    {
        var agent = new Commits(new AgentId(AgentKind.Execution, "ns", "run-1"));
        IndexRow first = RowOf(status: 1, group: "old", labels: ["x=1"]), second = RowOf(status: 2, group: "new", labels: ["y=1"], due: 4);
        AppendRun run = Commits.Indexed(agent.Next(3), first, second, null);
        await AppendAsync(agent, run);
        await AppendAsync(agent);

        IndexedAgent found = Assert.Single(await Index.QueryAsync(Executions(), Cancellation));
        Assert.Equal((new AgentVersion(2), run.Commits[1].Time), (found.Version, found.UpdatedAt));
        AssertSameRow(second, found.Row);
        Assert.Empty(await Index.QueryAsync(Executions() with { Labels = ["x=1"] }, Cancellation));
        Assert.Empty(await Index.QueryAsync(Executions() with { Group = "old" }, Cancellation));
        Assert.Single(await Index.QueryAsync(Executions() with { Labels = ["y=1"], Group = "new" }, Cancellation));
    }

    [Fact]
    public async Task A_conflict_leaves_the_index_as_it_was_and_the_units_beside_it_are_indexed()
    {
        Commits[] agents = [.. Enumerable.Range(0, 4).Select(i => new Commits(new AgentId(AgentKind.Execution, "ns", $"run-{i}")))];
        IndexRow before = RowOf(status: 1, group: "before"), after = RowOf(status: 2, group: "after");
        await AppendIndexedAsync(agents[0], before);
        await AppendIndexedAsync(agents[1], before);
        var stale = new AppendUnit([Commits.Indexed(agents[0].NextExpecting(new AgentVersion(7), agents[0].Hash), after)]);
        var missing = new AppendUnit([Commits.Indexed(agents[2].NextExpecting(new AgentVersion(1), agents[2].Hash), after)]);
        var again = new AppendUnit([Commits.Indexed(new Commits(agents[1].Agent).Next(), after)]);
        var good = new AppendUnit([Commits.Indexed(agents[3].Next(), after)]);

        await WriteAsync(stale, missing, again, good);

        Assert.Equal(
            [AppendOutcome.Conflict, AppendOutcome.Conflict, AppendOutcome.Conflict, AppendOutcome.Appended],
            new[] { stale, missing, again, good }.Select(unit => unit.Outcome));
        agents[3].Acknowledge(good.Runs[0]);
        await AssertFoundAsync([(agents[0], before), (agents[1], before), (agents[3], after)], Executions());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_unit_over_several_agents_indexes_all_of_them_or_none(bool conflict)
    {
        Commits[] agents = [.. Enumerable.Range(0, 3).Select(i => new Commits(new AgentId(AgentKind.Execution, "ns", $"run-{i}")))];
        IndexRow before = RowOf(status: 1, labels: ["l=0"]), after = RowOf(status: 2, labels: ["l=1"]);
        await AppendIndexedAsync(agents[1], before);
        var unit = new AppendUnit([.. Together(agents).Runs.Select(run => Commits.Indexed(run, after))]);
        if (conflict)
            await AppendAsync(agents[1]);
        var beside = new Commits(new AgentId(AgentKind.Execution, "ns", "z"));
        var besideUnit = new AppendUnit([Commits.Indexed(beside.Next(), after)]);

        await WriteAsync(unit, besideUnit);

        beside.Acknowledge(besideUnit.Runs[0]);
        Assert.Equal(conflict ? AppendOutcome.Conflict : AppendOutcome.Appended, unit.Outcome);
        if (!conflict)
        {
            Acknowledge(agents, unit);
            await AssertFoundAsync([.. agents.Append(beside).Select(agent => (agent, after))], Executions());
            return;
        }
        IReadOnlyList<IndexedAgent> found = await Index.QueryAsync(Executions(), Cancellation);
        Assert.Equal(["run-1", "z"], found.Select(f => f.Agent.Name).Order(StringComparer.Ordinal));
        AssertSameRow(before, found.Single(f => f.Agent.Name == "run-1").Row);
    }

    [Fact]
    public async Task Groups_and_labels_are_compared_whole_and_by_bytes_whatever_characters_they_hold()
    {
        string[] odd = ["a=1", "A=1", "a=1 ", "a=\"1\"", "a='1'", "a=%", "a=_1", "a==b", "=", "a=\\", "a={x,y}", "a=é", "a=e\u0301", "ß=😀", "a=\u0001\n\t", "NULL", "a=" + new string('x', 250)];
        for (int i = 0; i < odd.Length; i++)
            await AppendIndexedAsync(new Commits(new AgentId(AgentKind.Execution, "ns", $"run {i:d2}")), RowOf(group: odd[i], labels: [odd[i], "z=shared"]));

        foreach (string text in odd)
        {
            IndexedAgent byLabel = Assert.Single(await Index.QueryAsync(Executions() with { Labels = [text] }, Cancellation));
            Assert.Equal([text, "z=shared"], byLabel.Row.Labels);
            IndexedAgent byGroup = Assert.Single(await Index.QueryAsync(Executions() with { Group = text }, Cancellation));
            Assert.Equal((byLabel.Agent, text), (byGroup.Agent, byGroup.Row.Group));
            Assert.Single(await Index.QueryAsync(Executions() with { Labels = [text, "z=shared"], Group = text }, Cancellation));
            Assert.Empty(await Index.QueryAsync(Executions() with { Labels = [text, "z=other"] }, Cancellation));
        }
        Assert.Empty(await Index.QueryAsync(Executions() with { Labels = ["a"] }, Cancellation));
        Assert.Equal(odd.Length, (await Index.QueryAsync(Executions() with { Labels = ["z=shared"] }, Cancellation)).Count);
    }

    [Fact]
    public async Task Neither_kinds_nor_namespaces_meet_in_the_index()
    {
        AgentId[] ids = [new(AgentKind.Execution, "a", "x"), new(AgentKind.Execution, "b", "x"), new(AgentKind.Agent, "a", "x")];
        for (int i = 0; i < ids.Length; i++)
            await AppendIndexedAsync(new Commits(ids[i]), RowOf(status: (byte)i, labels: ["l=1"]));

        foreach (AgentId id in ids)
        {
            var query = new IndexQuery(id.Kind, id.Namespace, 10) { Labels = ["l=1"] };
            Assert.Equal(id, Assert.Single(await Index.QueryAsync(query, Cancellation)).Agent);
            Assert.Equal(1, Assert.Single(await Index.CountByStatusAsync(id.Kind, id.Namespace, Cancellation)).Value);
        }
        Assert.Empty(await Index.QueryAsync(new IndexQuery(AgentKind.Agent, "b", 10), Cancellation));
        Assert.Empty(await Index.CountByStatusAsync(AgentKind.Agent, "b", Cancellation));
    }

    [Fact]
    public async Task Pages_over_equal_values_hold_every_agent_once_in_byte_order_of_the_names()
    {
        // In this order by bytes of UTF-8; .NET's ordinal order has the last two the other way round.
        string[] names = ["B", "a", "a b", "ab", "é", "\uFF5E", "\U00010000"];
        var moment = new CommitTime(1_800_000_000_000_000);
        foreach (string name in names.Reverse())
        {
            var agent = new Commits(new AgentId(AgentKind.Execution, "ns", name));
            AppendRun run = Commits.Indexed(agent.NextAt(moment), RowOf(status: (byte)(name.Length % 2), started: 9, due: 9));
            await AppendAsync(agent, run);
        }

        foreach (IndexOrder order in Enum.GetValues<IndexOrder>())
        {
            IndexQuery ascending = Executions() with { Order = order, Limit = 2 };
            Assert.Equal(names, (await AllPagesAsync(ascending)).Select(f => f.Agent.Name));
            Assert.Equal(names.Reverse(), (await AllPagesAsync(ascending with { Descending = true })).Select(f => f.Agent.Name));
        }
    }

    protected static IndexRow RowOf(
        byte status = 0, string group = "g", string[]? labels = null, long started = 1, long? due = null, string summary = "{}") => new(
        status, group, [.. labels ?? []], new CommitTime(started), due is null ? null : new CommitTime(due.Value), Encoding.UTF8.GetBytes(summary));

    protected async Task AppendIndexedAsync(Commits agent, IndexRow row) => await AppendAsync(agent, Commits.Indexed(agent.Next(), row));

    private static IndexQuery Executions() => new(AgentKind.Execution, "ns", 1000);

    private async Task<List<IndexedAgent>> AllPagesAsync(IndexQuery query)
    {
        var all = new List<IndexedAgent>();
        while (true)
        {
            IReadOnlyList<IndexedAgent> page = await Index.QueryAsync(query, Cancellation);
            Assert.True(page.Count <= query.Limit, $"A page of {query.Limit} holds {page.Count}.");
            all.AddRange(page);
            if (page.Count < query.Limit)
                return all;
            IndexedAgent last = page[^1];
            CommitTime value = query.Order switch
            {
                IndexOrder.Started => last.Row.StartedAt,
                IndexOrder.Updated => last.UpdatedAt,
                _ => last.Row.DueAt!.Value,
            };
            query = query with { After = new IndexCursor(value, last.Agent.Name) };
        }
    }

    private async Task AssertFoundAsync((Commits Agent, IndexRow Row)[] expected, IndexQuery query)
    {
        IReadOnlyList<IndexedAgent> found = await Index.QueryAsync(query, Cancellation);
        Assert.Equal(
            expected.Select(e => (e.Agent.Agent, e.Agent.Version, e.Agent.Time)).OrderBy(e => e.Agent),
            found.Select(f => (f.Agent, f.Version, f.UpdatedAt)).OrderBy(f => f.Agent));
        foreach (IndexedAgent one in found)
            AssertSameRow(expected.Single(e => e.Agent.Agent == one.Agent).Row, one.Row);
    }

    private static void AssertSameRow(IndexRow expected, IndexRow actual)
    {
        Assert.Equal(expected.Labels, actual.Labels);
        Assert.Equal(expected.Summary.ToArray(), actual.Summary.ToArray());
        Assert.Equal(expected with { Labels = [], Summary = default }, actual with { Labels = [], Summary = default });
    }
}
