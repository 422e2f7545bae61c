using System.Text;

namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    /// <summary>Ids that a store could confuse with one another, or choke on. In no order.</summary>
    private static readonly string[] HostileNames =
    [
        "a", "A", "á", "a\u0301", "ａ", "b", "b ", " b", "b/c", "b:c", "b%2Fc", "b\\c", "b\u0001c",
        "..", ".", "../../etc/passwd", "%", "%%", "_", "*", "?", "[a-z]", "'", "''", "\"", "`", "';drop table stream;--",
        "null", "NULL", "0", "00", "1e3", "-1", "true", "\n", "\r\n", "\t", "\u007f", "\u0080", "\u07ff", "\u0800",
        "\u200b", "\u202e", "\uE000", "\uFFFD", "\uFFFF", "\U00010000", "😀", "😀😀", "👩‍👩‍👧", "\U0010FFFF",
        "ß", "ss", "İ", "i", "I", "ı", "ﬁ", "fi", "Å", "\u212B", "A\u030A", "日本", "מזל", "﷽",
        new string('x', 512), new string('x', 511), new string('x', 510) + "é", string.Concat(Enumerable.Repeat("😀", 128)),
    ];

    [Fact]
    public async Task Hostile_agent_ids_keep_their_journals_apart()
    {
        AgentId[] ids =
        [
            .. HostileNames.Select(name => new AgentId("default", name)),
            // The same letters, differing only in where namespace ends and name begins, and in kind.
            new("a", "b/c"), new("a/b", "c"), new("a:b", "c"), new("a", "b:c"), new("ab", "c"), new("a", "bc"),
            new("a\u0001", "b"), new("a", "\u0001b"), new("Default", "a"), new("default ", "a"),
            new(AgentKind.Execution, "default", "a"), new(AgentKind.Execution, "a", "b/c"),
        ];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Commits[] agents = [.. ids.Select(id => new Commits(id))];

        foreach (Commits agent in agents)
            await AppendAsync(agent, 2);
        await ReopenAsync();

        foreach (Commits agent in agents)
            await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task Agents_are_listed_in_the_byte_order_of_their_utf8_names()
    {
        foreach (string name in HostileNames)
            await AppendAsync(new Commits(name));
        string[] expected = [.. HostileNames.OrderBy(Encoding.UTF8.GetBytes, ByteOrder)];

        Assert.Equal(expected, await ListNamesAsync("default"));
        // Byte order puts the private use area before the surrogate pairs; UTF-16 order would not.
        Assert.True(Array.IndexOf(expected, "\uE000") < Array.IndexOf(expected, "😀"));
    }

    [Fact]
    public async Task Listing_pages_meet_every_agent_once_whatever_the_page_size()
    {
        foreach (string name in HostileNames)
            await AppendAsync(new Commits(name));
        string[] expected = [.. HostileNames.OrderBy(Encoding.UTF8.GetBytes, ByteOrder)];

        foreach (int limit in (int[])[1, 7, 1000])
        {
            var seen = new List<string>();
            IReadOnlyList<JournalHead> page;
            do
            {
                page = await Store.ListAgentsAsync(AgentKind.Agent, "default", "", seen.LastOrDefault(), limit, Cancellation);
                Assert.True(page.Count <= limit);
                seen.AddRange(page.Select(head => head.Agent.Name));
            }
            while (page.Count == limit);
            Assert.Equal(expected, seen);
        }
    }

    [Fact]
    public async Task A_prefix_matches_byte_for_byte_and_nothing_in_it_is_a_wildcard()
    {
        foreach (string name in HostileNames)
            await AppendAsync(new Commits(name));

        foreach (string prefix in HostileNames)
        {
            byte[] start = Encoding.UTF8.GetBytes(prefix);
            string[] expected =
            [
                .. HostileNames.Where(name => Encoding.UTF8.GetBytes(name).AsSpan().StartsWith(start)).OrderBy(Encoding.UTF8.GetBytes, ByteOrder),
            ];
            Assert.Equal(expected, await ListNamesAsync("default", prefix));
            Assert.Equal(expected[1..], await ListNamesAsync("default", prefix, after: expected[0]));
        }
    }

    [Theory]
    [InlineData("b", null, "b1,b2,b3")]
    [InlineData("b", "a", "b1,b2,b3")]
    [InlineData("b", "b", "b1,b2,b3")]
    [InlineData("b", "b1", "b2,b3")]
    [InlineData("b", "b11", "b2,b3")]
    [InlineData("b", "b3", "")]
    [InlineData("b", "c", "")]
    [InlineData("bb", null, "")]
    [InlineData("", "b2", "b3,c")]
    public async Task Prefix_and_after_narrow_together(string prefix, string? after, string expected)
    {
        foreach (string name in (string[])["c", "b3", "a", "b1", "b2"])
            await AppendAsync(new Commits(name));

        Assert.Equal(expected, string.Join(',', await ListNamesAsync("default", prefix, after)));
    }

    [Fact]
    public async Task Namespaces_and_kinds_are_listed_apart_with_full_heads()
    {
        Commits[] agents =
        [
            new(new AgentId("n", "a")), new(new AgentId("n2", "a")), new(new AgentId("N", "a")), new(new AgentId("n", "b")),
            new(new AgentId(AgentKind.Execution, "n", "a")),
        ];
        for (int i = 0; i < agents.Length; i++)
            await AppendAsync(agents[i], i + 1);

        IReadOnlyList<JournalHead> listed = await Store.ListAgentsAsync(AgentKind.Agent, "n", "", null, 1000, Cancellation);
        Assert.Equal([HeadOf(agents[0]), HeadOf(agents[3])], listed);
        listed = await Store.ListAgentsAsync(AgentKind.Execution, "n", "", null, 1000, Cancellation);
        Assert.Equal([HeadOf(agents[4])], listed);
        Assert.Empty(await Store.ListAgentsAsync(AgentKind.Agent, "", "", null, 1000, Cancellation));
        Assert.Empty(await Store.ListAgentsAsync(AgentKind.Execution, "N", "", null, 1000, Cancellation));

        static JournalHead HeadOf(Commits agent)
        {
            JournalCommit last = agent.Acknowledged[^1];
            return new JournalHead(agent.Agent, last.Version, last.CommitTs, last.Time, last.Hash, new AgentVersion(1));
        }
    }

    private async Task<IEnumerable<string>> ListNamesAsync(string @namespace, string prefix = "", string? after = null) =>
        (await Store.ListAgentsAsync(AgentKind.Agent, @namespace, prefix, after, 1000, Cancellation)).Select(head => head.Agent.Name);

    private static readonly Comparer<byte[]> ByteOrder = Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y));
}
