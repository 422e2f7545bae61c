using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Statehouse.Journal.Tests;

public sealed class CommitBodyTests
{
    private static readonly Guid TxnId = new("01890000-0000-7000-8000-000000000001");

    [Theory]
    [InlineData("{}", "", "{}")]
    [InlineData("{\"a\":1}\nrest", "rest", "{\"a\":1}")]
    [InlineData("{\"a\":1}\n", "", "{\"a\":1}")]
    [InlineData("{\"a\":1}\n{\"b\":2}\n{}", "{\"b\":2}\n{}", "{\"a\":1}")]
    [InlineData("{\"a\":{\n\"b\":[{}\n,{}]}\n,\"c\":1}\ndetail", "detail", "{\"a\":{\n\"b\":[{}\n,{}]}\n,\"c\":1}")]
    [InlineData("{\"}\\\"}\\\\\":\"}\\n\"\n}\nx", "x", "{\"}\\\"}\\\\\":\"}\\n\"\n}")]
    [InlineData("{\"value\":{\n  \"a\": 1\n}\n}", "", "{\"value\":{\n  \"a\": 1\n}\n}")]
    [InlineData("{\"a\":1} \nrest", "", "{\"a\":1} \nrest")]
    [InlineData("{\"open\n", "", "{\"open\n")]
    [InlineData("{\"open\\", "", "{\"open\\")]
    [InlineData("\nx", "", "\nx")]
    [InlineData("[1]\nx", "", "[1]\nx")]
    [InlineData("", "", "")]
    public void The_detail_is_what_stands_behind_a_line_feed_directly_after_the_object(string body, string detail, string canonical)
    {
        var commit = new JournalCommit(new AgentVersion(1), CommitTs.None, new CommitTime(5), TxnId, default, Encoding.UTF8.GetBytes(body));

        Assert.Equal(canonical, Encoding.UTF8.GetString(commit.Canonical.Span));
        Assert.Equal(detail, Encoding.UTF8.GetString(commit.Detail.Span));
        Assert.Equal(canonical.Length, CommitBody.CanonicalLength(commit.Canonical.Span));
    }

    [Fact]
    public void A_commit_has_the_same_hash_with_another_detail_and_with_none()
    {
        CommitHash cut = Chain("{\"sha256\":\"00\"}");

        Assert.Equal(cut, Chain("{\"sha256\":\"00\"}\n{\"state\":1}"));
        Assert.Equal(cut, Chain("{\"sha256\":\"00\"}\n"));
        Assert.NotEqual(cut, Chain("{\"sha256\":\"01\"}\n{\"state\":1}"));
    }

    [Theory]
    [InlineData("{\"operations\":[]}")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"k\",\"value\":{\n  \"a\": [\n    1\n  ]\n},\"version\":1}]}")]
    [InlineData("{\"operations\":[{\"op\":\"put\",\"key\":\"}\\\"\",\"value\":[{}\n]\n,\"version\":1}]}")]
    public void An_agents_body_is_covered_to_its_last_byte_whatever_white_space_its_values_hold(string body)
    {
        // The definition as it was before there were details, spelled out.
        byte[] input = new byte[CommitHash.Size + 8 + 8];
        CommitHash.Genesis(new AgentId("a", "b")).AsSpan().CopyTo(input);
        BinaryPrimitives.WriteInt64BigEndian(input.AsSpan(CommitHash.Size), 1);
        BinaryPrimitives.WriteInt64BigEndian(input.AsSpan(CommitHash.Size + 8), 5);
        byte[] expected = SHA256.HashData([.. input, .. TxnId.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(body)]);

        Assert.Equal(expected, Chain(body).ToArray());
        for (int i = 0; i < body.Length; i++)
        {
            char other = body[i] == '\n' ? ' ' : '\n';
            Assert.NotEqual(Chain(body), Chain(body[..i] + other + body[(i + 1)..]));
        }
    }

    private static CommitHash Chain(string body) => CommitHash.Chain(
        CommitHash.Genesis(new AgentId("a", "b")), new AgentVersion(1), new CommitTime(5), TxnId, Encoding.UTF8.GetBytes(body));
}
