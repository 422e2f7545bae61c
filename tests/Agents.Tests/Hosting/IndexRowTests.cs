using System.Globalization;
using System.Text;
using Statehouse.Agents.Model;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>How an execution can be found goes to the store with the very commit that changes it.</summary>
public sealed class IndexRowTests
{
    private readonly MemoryStore _store = new();

    [Fact]
    public async Task Every_commit_of_an_execution_carries_the_row_of_the_state_that_it_makes()
    {
        await using var host = new TestHost(_store, indexOf: RowOf);
        IAgentState run = host.Agents.Get(Run("r1"));
        // At once, so that commits are decided on others that are not durable yet.
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => run.CommitAsync(Put($"k{i}", "1"))));
        IReadOnlyList<JournalCommit> journal = _store.JournalOf(Run("r1"));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => $"{i} keys by version {i}"), journal.Select(Shown));
    }

    [Fact]
    public async Task A_transaction_carries_the_row_of_each_execution_and_none_of_other_agents()
    {
        await using var host = new TestHost(_store, indexOf: RowOf);
        await host.Agents.Get(Run("r2")).CommitAsync(Put("a", "1"));
        await host.Agents.CommitTogetherAsync(
            Together((Run("r1"), Commit(Put("k", "1"))), (Run("r2"), Commit(Put("k", "1"))), (new AgentId("default", "r1"), Commit(Put("k", "1")))), Cancellation);
        Assert.Equal("1 keys by version 1", Shown(Assert.Single(_store.JournalOf(Run("r1")))));
        Assert.Equal("2 keys by version 2", Shown(_store.JournalOf(Run("r2"))[1]));
        Assert.Null(Assert.Single(_store.JournalOf(new AgentId("default", "r1"))).Index);
    }

    [Fact]
    public async Task A_row_that_cannot_be_made_refuses_the_commit_and_writes_nothing()
    {
        bool fails = true;
        await using var host = new TestHost(_store, indexOf: (state, commit) => fails ? throw new InvariantBrokenException("No row.") : RowOf(state, commit));
        await Assert.ThrowsAsync<InvariantBrokenException>(() => host.Agents.Get(Run("r1")).CommitAsync(Put("k", "1")));
        await Assert.ThrowsAsync<InvariantBrokenException>(async () => await host.Agents.CommitTogetherAsync(
            Together((Run("r1"), Commit(Put("k", "1"))), (Run("r2"), Commit(Put("k", "1")))), Cancellation));
        fails = false;
        Assert.Equal(1, (await host.Agents.Get(Run("r1")).CommitAsync(Put("k", "1"))).Version.Value);
        Assert.Empty(_store.JournalOf(Run("r2")));
    }

    private static AgentId Run(string name) => new(AgentKind.Execution, "default", name);

    private static IndexRow RowOf(AgentState state, Commit commit) =>
        new((byte)state.LiveKeyCount, "g", [], commit.Stamp.Time, null, Encoding.UTF8.GetBytes(commit.Version.ToString()));

    private static string Shown(JournalCommit commit) => string.Create(
        CultureInfo.InvariantCulture, $"{commit.Index!.Status} keys by version {Encoding.UTF8.GetString(commit.Index.Summary.Span)}");
}
