using System.Text;
using Statehouse.Journal;
using Statehouse.Testing;
using Xunit;

namespace Statehouse.Tidy;

/// <summary>The worked example of docs/data-layout.md, recomputed from the definition on that page and by the server's code.</summary>
public sealed class HashExampleTests
{
    private static readonly string[] Example = Markdown.Read("docs/data-layout.md").Blocks
        .Single(block => block.Language == "text").Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Field(string name, int occurrence = 0) =>
        Example.Where(line => line.StartsWith(name + " ", StringComparison.Ordinal)).ElementAt(occurrence)[name.Length..].Trim();

    [Fact]
    public void The_definition_gives_the_hashes_of_the_example()
    {
        Assert.Equal(Field("hash(0)"), HashChain.Genesis(0, "default", "planner"));
        for (int n = 1; n <= 2; n++)
        {
            string next = HashChain.Next(
                Field($"hash({n - 1})"), n, Field("time", n - 1), Field("txn_id", n - 1), Field("body", n - 1));
            Assert.Equal(Field($"hash({n})"), next);
        }
    }

    [Fact]
    public void The_servers_code_gives_the_hashes_of_the_example()
    {
        CommitHash hash = CommitHash.Genesis(new AgentId("default", "planner"));
        Assert.Equal(Field("hash(0)"), hash.ToString());
        for (int n = 1; n <= 2; n++)
        {
            var time = new CommitTime(HashChain.Microseconds(Field("time", n - 1)));
            Assert.Equal(Field("time_us", n - 1), time.UnixMicroseconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
            hash = CommitHash.Chain(
                hash, new AgentVersion(n), time, Guid.Parse(Field("txn_id", n - 1)), Encoding.UTF8.GetBytes(Field("body", n - 1)));
            Assert.Equal(Field($"hash({n})"), hash.ToString());
        }
    }
}
