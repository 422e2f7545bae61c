using System.Text;
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

    [Fact]
    public void The_detail_is_not_covered_and_all_that_stands_before_it_is()
    {
        CommitHash canonical = Hash("{\"value\":[\n1,\n2]}");
        Assert.Equal(canonical, Hash("{\"value\":[\n1,\n2]}\0detail"));
        Assert.Equal(canonical, Hash("{\"value\":[\n1,\n2]}\0other\n"));
        Assert.NotEqual(canonical, Hash("{\"value\":[\n1,\n3]}"));
        Assert.NotEqual(canonical, Hash("{\"value\":[\n1,\n3]}\0detail"));
    }

    [Fact]
    public void A_value_over_several_lines_is_no_detail()
    {
        JournalCommit plain = Commit("{\"value\":[\n1]}");
        Assert.Equal((plain.Body.Length, 0), (plain.Canonical.Length, plain.Detail.Length));
        JournalCommit detailed = Commit("{\"value\":[\n1]}\0a\nb");
        Assert.Equal("{\"value\":[\n1]}"u8, detailed.Canonical.Span);
        Assert.Equal("a\nb"u8, detailed.Detail.Span);
    }

    private static CommitHash Hash(string body) => CommitHash.Chain(
        CommitHash.Genesis(new AgentId("a", "b")), new AgentVersion(1), new CommitTime(5), Guid.Empty, Encoding.UTF8.GetBytes(body));

    private static JournalCommit Commit(string body) =>
        new(new AgentVersion(1), default, default, Guid.Empty, Hash(body), Encoding.UTF8.GetBytes(body));
}
