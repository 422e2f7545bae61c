using Statehouse.Journal;

namespace Statehouse.Agents.Tests.Model;

public sealed class CommitHashTests
{
    [Fact]
    public void No_two_identities_begin_the_same_chain()
    {
        AgentId[] ids =
        [
            new("a", "b"), new("b", "b"), new("a", "c"), new("a/b", "c"), new("a", "b/c"), new("ab", "c"), new("a", "bc"),
            new(AgentKind.Execution, "a", "b"),
        ];
        Assert.Equal(ids.Length, ids.Select(id => CommitHash.Genesis(id)).Distinct().Count());
    }

    [Fact]
    public void Whatever_of_a_commit_changes_changes_its_hash()
    {
        CommitHash previous = CommitHash.Genesis(new AgentId("a", "b"));
        CommitHash other = CommitHash.Genesis(new AgentId("a", "c"));
        var txn = new Guid("01890000-0000-7000-8000-000000000001");
        CommitHash[] hashes =
        [
            CommitHash.Chain(previous, new AgentVersion(1), new CommitTime(5), txn, "{}"u8),
            CommitHash.Chain(other, new AgentVersion(1), new CommitTime(5), txn, "{}"u8),
            CommitHash.Chain(previous, new AgentVersion(2), new CommitTime(5), txn, "{}"u8),
            CommitHash.Chain(previous, new AgentVersion(1), new CommitTime(6), txn, "{}"u8),
            CommitHash.Chain(previous, new AgentVersion(1), new CommitTime(5), Guid.Empty, "{}"u8),
            CommitHash.Chain(previous, new AgentVersion(1), new CommitTime(5), txn, "{ }"u8),
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }
}
