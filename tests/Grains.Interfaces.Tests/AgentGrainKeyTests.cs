using System.Globalization;

namespace Statehouse.Grains.Tests;

public sealed class AgentGrainKeyTests
{
    /// <summary>What separates, escapes, vanishes, is replaced, or has another spelling somewhere.</summary>
    private static readonly string[] Pieces =
    [
        "", "a", "A", "ada", "/", "//", "%", "%2F", "%u0041", "%zz", "+", ":", "@", "#", "?", "&", "=", "\\", "\"", "'", "{", "}", " ", "\t", "\r\n",
        "\0", "\u0001", "\u007F", "\u0085", "\u00A0", "\u00AD", "é", "e\u0301", "ß", "ﬁ", "İ", "\u200B", "\u2028", "\uFEFF", "\uFFFD", "\uFFFE", "\uFFFF",
        "😀", "\uD83D", "\uDE00", "\uDE00\uD83D", "default", "execution", "execution/",
    ];

    [Theory]
    [InlineData("default", "ada", "default/ada")]
    [InlineData("default", "user:42@example.com", "default/user:42@example.com")]
    [InlineData("Kundé", "λ-агент-😀", "Kundé/λ-агент-😀")]
    [InlineData("a/b", "c", "a%2Fb/c")]
    [InlineData("a", "b/c", "a/b%2Fc")]
    [InlineData("a+b", "50% off", "a%2Bb/50%25%20off")]
    [InlineData("", "", "/")]
    public void A_key_reads_like_its_agent(string @namespace, string name, string key)
    {
        var agent = new AgentId(@namespace, name);
        Assert.Equal(key, AgentGrainKey.Of(agent));
        Assert.Equal(agent, AgentGrainKey.Parse(key));
    }

    /// <summary>Not as data of the test above: attributes are kept as UTF-8, which would replace the surrogate.</summary>
    [Fact]
    public void What_UTF8_cannot_express_and_what_a_table_might_trim_is_escaped()
    {
        var agent = new AgentId("\u0000d", "\uD83D\u2003\n");
        Assert.Equal("%00d/%uD83D%u2003%0A", AgentGrainKey.Of(agent));
        Assert.Equal(agent, AgentGrainKey.Parse("%00d/%uD83D%u2003%0A"));
    }

    [Fact]
    public void Another_kind_stands_before_the_namespace()
    {
        foreach ((AgentKind kind, string key) in ((AgentKind, string)[])[(AgentKind.Execution, "execution/default/run-7"), (AgentKind.ExecutionSnapshot, "snapshot/default/run-7")])
        {
            var agent = new AgentId(kind, "default", "run-7");
            Assert.Equal(key, AgentGrainKey.Of(agent));
            Assert.Equal(agent, AgentGrainKey.Parse(key));
        }
    }

    [Theory]
    [InlineData("default")]
    [InlineData("")]
    [InlineData("a/b/c")]
    [InlineData("agent/default/ada")]
    [InlineData("execution/a/b/c")]
    [InlineData("default/a b")]
    [InlineData("default/a%2fb")]
    [InlineData("default/%61da")]
    [InlineData("default/%u0020")]
    [InlineData("default/%u002F")]
    [InlineData("default/%")]
    [InlineData("default/%2")]
    [InlineData("default/%u00")]
    [InlineData("default/%-1")]
    [InlineData("default/%uD83D%uDE00")]
    public void A_second_spelling_is_refused(string key) =>
        Assert.Equal(ErrorCode.InvalidArgument, Assert.Throws<RefusedException>(() => AgentGrainKey.Parse(key)).Code);

    [Fact]
    public void Every_kind_has_keys_of_its_own()
    {
        string[] keys = [.. Enum.GetValues<AgentKind>().Select(kind => AgentGrainKey.Of(new AgentId(kind, "n", "a")))];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => AgentGrainKey.Of(new AgentId((AgentKind)99, "n", "a")));
    }

    [Fact]
    public void No_two_agents_share_a_key_and_each_comes_back()
    {
        var owners = new Dictionary<string, AgentId>(StringComparer.Ordinal);
        foreach (AgentId agent in Agents())
        {
            string key = AgentGrainKey.Of(agent);
            Assert.True(owners.TryAdd(key, agent) || owners[key] == agent, $"{key} is the key of two agents.");
            Assert.Equal(agent, AgentGrainKey.Parse(key));
            AssertSurvivesOrleans(key);
        }
    }

    [Fact]
    public void What_parses_is_a_key()
    {
        var random = new Random(Seed());
        int parsed = 0;
        for (int run = 0; run < 20_000; run++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => Piece(random)));
            Exception? error = Record.Exception(() =>
            {
                Assert.Equal(text, AgentGrainKey.Of(AgentGrainKey.Parse(text)));
                parsed++;
            });
            Assert.True(error is null or RefusedException, $"{text}: {error}");
        }
        Assert.True(parsed > 100, $"Only {parsed} of the texts were keys.");
    }

    /// <summary>A grain id goes through bytes (messages, directory) and text (reminders, grain storage, logs).</summary>
    private static void AssertSurvivesOrleans(string key)
    {
        GrainId id = GrainId.Create("agent", key);
        Assert.Equal(key, id.Key.ToString());
        GrainId back = GrainId.Parse(id.ToString());
        Assert.Equal(id, back);
        Assert.Equal(key, back.Key.ToString());
        Assert.False(key.Any(char.IsControl), key);
        Assert.DoesNotContain('+', key);
    }

    private static IEnumerable<AgentId> Agents()
    {
        foreach (AgentKind kind in Enum.GetValues<AgentKind>())
        {
            foreach (string @namespace in Pieces)
            {
                foreach (string name in Pieces)
                    yield return new AgentId(kind, @namespace, name);
            }
        }
        var random = new Random(Seed());
        for (int run = 0; run < 20_000; run++)
            yield return new AgentId((AgentKind)random.Next(2), Name(random), Name(random));
    }

    private static string Name(Random random) => string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => Piece(random)));

    private static string Piece(Random random) =>
        random.Next(2) == 0 ? Pieces[random.Next(Pieces.Length)] : ((char)random.Next(0x10000)).ToString();

    private static int Seed()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("STATEHOUSE_TEST_SEED"), CultureInfo.InvariantCulture, out int given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"STATEHOUSE_TEST_SEED={seed}");
        return seed;
    }
}
