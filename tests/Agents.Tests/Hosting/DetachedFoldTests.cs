using System.Collections.Immutable;
using System.Text;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Agents.Tests.Codec;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>
/// I5 with detached values: the live state, the fold of the journal and the fold from any snapshot are the same bytes, whatever
/// was put, changed and deleted in which order.
/// </summary>
public sealed class DetachedFoldTests
{
    private static readonly string[] Agents = ["a", "b"];
    private readonly MemoryStore _store = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Live_state_fold_and_fold_from_snapshots_are_the_same_bytes(int seed)
    {
        var random = new Random(seed);
        var expected = Agents.ToDictionary(name => name, _ => new Dictionary<string, byte[]>());
        for (int round = 0; round < 4; round++)
        {
            await using var host = new TestHost(_store, new LocalAgentsOptions { SnapshotTailBytesMin = 4_000 });
            for (int i = 0; i < 60; i++)
                await CommitAsync(host, random, expected, $"{round}-{i}");
            foreach (string name in Agents)
                await AssertStateAsync(host, name, expected[name]);
        }
        foreach (string name in Agents)
            await AssertEveryMomentAsync(name);
    }

    [Fact]
    public async Task Commits_in_flight_are_differences_to_each_other()
    {
        byte[] text = Texts.Of("records", 20_000, new Random(1));
        byte[][] values = [.. Enumerable.Range(0, 200).Select(i => Texts.Edit(text, "replace", 3, 10, new Random(i)))];
        await using (var host = new TestHost(_store))
            await Task.WhenAll(values.Select(value => host.Agent("a").CommitAsync(Put("state", value))));
        IReadOnlyList<JournalCommit> journal = _store.JournalOf(Id("a"));
        Assert.Contains(_store.Batches, batch => batch > 1);
        Assert.InRange(journal.Skip(1).Max(commit => commit.Body.Length), 1, 600);
        await using var restarted = new TestHost(_store);
        AgentState folded = Fold(Id("a"), journal);
        Assert.Equal(folded.Keys.Find(new Key("state"))!.Value.ToString(), await restarted.Agent("a").ReadAsync("state"));
    }

    [Theory]
    [InlineData("value")]
    [InlineData("state")]
    public async Task Limits_count_the_whole_value(string limit)
    {
        var limits = limit == "value" ? new Limits { ValueBytesMax = 10_000 } : new Limits { StateBytesMax = 10_000 };
        await using var host = new TestHost(_store, limits: limits);
        byte[] value = Texts.Of("records", 9_000, new Random(1));
        await host.Agent("a").CommitAsync(Put("state", value));
        byte[] longer = Texts.Edit(value, "insert", 10, 100, new Random(1));
        StatehouseException refusal = await RefusalAsync(() => host.Agent("a").CommitAsync(Put("state", longer)));
        Assert.Equal((ErrorCode.LimitExceeded, $"limits.{limit}_bytes_max"), (refusal.Code, refusal.Details["setting"]));
        Assert.Single(_store.JournalOf(Id("a")));
    }

    private static AgentId Id(string name) => new("default", name);

    private static Operation Put(string key, byte[] value, bool isWhole = false) =>
        new(OperationKind.Put, new Key(key), JsonText.Trusted(value)) { IsDetached = true, IsWhole = isWhole };

    private static async Task CommitAsync(TestHost host, Random random, Dictionary<string, Dictionary<string, byte[]>> expected, string idempotencyKey)
    {
        string[] touched = random.Next(4) == 0 ? Agents : [Agents[random.Next(2)]];
        string? key = random.Next(5) == 0 ? idempotencyKey : null;
        await host.Agents.CommitTogetherAsync(
            [.. touched.Select(name => new AgentCommitRequest(Id(name), new CommitRequest(Operations(random, expected[name])) { IdempotencyKey = key }))], Cancellation);
    }

    private static ImmutableArray<Operation> Operations(Random random, Dictionary<string, byte[]> state)
    {
        var operations = ImmutableArray.CreateBuilder<Operation>();
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            string key = $"k{random.Next(3)}";
            if (random.Next(6) == 0)
            {
                operations.Add(Delete(key));
                state.Remove(key);
                continue;
            }
            byte[] value = state.TryGetValue(key, out byte[]? before) && random.Next(5) > 0
                ? Change(before, random)
                : Texts.Of(random.Next(2) == 0 ? "records" : "pretty", random.Next(20, 4_000), random);
            operations.Add(Put(key, value, isWhole: random.Next(6) == 0) with { IsDetached = random.Next(8) > 0 });
            state[key] = value;
        }
        return operations.ToImmutable();
    }

    /// <summary>JSON stays JSON: digits become others, items are put in or go.</summary>
    private static byte[] Change(byte[] json, Random random)
    {
        string text = Encoding.UTF8.GetString(json);
        string changed = random.Next(3) switch
        {
            0 => text.Replace($"\"cost\":{random.Next(10)}", $"\"cost\":{random.Next(1, 10)}", StringComparison.Ordinal),
            1 => text.Replace("{\"steps\":[", $"{{\"steps\":[{{\"id\":{random.Next()}}},", StringComparison.Ordinal),
            _ => text.Replace("null", "\"Zürich\"", StringComparison.Ordinal),
        };
        return JsonText.Parse("value", Encoding.UTF8.GetBytes(changed), 64).Memory.ToArray();
    }

    private async Task AssertStateAsync(TestHost host, string name, Dictionary<string, byte[]> expected)
    {
        if (_store.JournalOf(Id(name)).Count == 0)
            return;
        ScanPage page = await host.Agent(name).ScanAsync();
        Assert.Equal(
            expected.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={Encoding.UTF8.GetString(pair.Value)}"),
            page.Items.Select(item => $"{item.Key}={item.Value}"));
        byte[] live = SnapshotCodec.Encode(host.Agents.Find(Id(name)).Confirmed!);
        Assert.Equal(live, SnapshotCodec.Encode(Fold(Id(name), _store.JournalOf(Id(name)))));
    }

    private async Task AssertEveryMomentAsync(string name)
    {
        IReadOnlyList<JournalCommit> journal = _store.JournalOf(Id(name));
        Assert.NotEmpty(_store.SnapshotsOf(Id(name)));
        Assert.Contains(journal, commit => CommitBodyCodec.Decode(commit).Operations.Any(operation => operation.Detached?.Form == DetachedForm.Difference));
        var loader = new AgentLoader(_store, Limits.Default, SilentOperatorLog.Instance);
        var fold = new JournalFold(AgentState.Empty(Id(name)), Limits.Default);
        foreach (JournalCommit commit in journal)
        {
            fold.Add(commit);
            LoadedState loaded = await loader.LoadAsync(new JournalHandle(Id(name)), commit.Version, Cancellation);
            Assert.Equal(SnapshotCodec.Encode(fold.End()), SnapshotCodec.Encode(loaded.State));
        }
    }

    private static AgentState Fold(AgentId id, IReadOnlyList<JournalCommit> journal)
    {
        var fold = new JournalFold(AgentState.Empty(id), Limits.Default);
        foreach (JournalCommit commit in journal)
            fold.Add(commit);
        return fold.End();
    }
}
