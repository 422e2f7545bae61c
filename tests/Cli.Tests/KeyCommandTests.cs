using System.Text.Json;

namespace Statehouse.Cli.Tests;

public sealed class KeyCommandTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly Ctl _ctl = new($"http://{fixture.Server.Address}");

    [Fact]
    public async Task A_value_comes_back_byte_for_byte_whatever_its_numbers_and_white_space()
    {
        const string Value = "{\"big\": 123456789012345678901234567890.10,\n \"e\":1E5,\"z\":[1,  2],\"a\":\"Zürich\"}";
        await _ctl.OkAsync("put", "lossless", "k", Value);
        Assert.Equal(Value + "\n", await _ctl.OkAsync("get", "lossless", "k"));
        Assert.Contains("123456789012345678901234567890.10", await _ctl.OkAsync("get", "lossless", "k", "--json"), StringComparison.Ordinal);
        string pretty = await _ctl.OkAsync("get", "lossless", "k", "--pretty");
        Assert.Contains("  \"big\": 123456789012345678901234567890.10,\n", pretty, StringComparison.Ordinal);
        Assert.Contains("\"e\": 1E5", pretty, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a/b", "c/d")]
    [InlineData("a%2Fb", "c%2Fd")]
    [InlineData(".", "..")]
    [InlineData("@file", "[directive]")]
    [InlineData("Zürich 🚀", "key with spaces\tand tab")]
    [InlineData("a?b#c", "d&e=f+g")]
    public async Task Ids_and_keys_reach_the_server_as_they_are(string agent, string key)
    {
        await _ctl.OkAsync("put", agent, key, "\"here\"");
        Assert.Equal("\"here\"\n", await _ctl.OkAsync("get", agent, key));
        using JsonDocument item = JsonDocument.Parse(await _ctl.OkAsync("keys", agent, "--json"));
        Assert.Equal(key, item.RootElement.GetProperty("key").GetString());
        string agents = await _ctl.OkAsync("agents", "--json");
        Assert.Contains(agents.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => AgentOf(line) == agent);
    }

    [Fact]
    public async Task An_id_that_begins_with_a_dash_is_taken_after_two_dashes()
    {
        await _ctl.OkAsync("put", "--", "-n", "--json", "-5");
        Assert.Equal("-5\n", await _ctl.OkAsync("get", "--", "-n", "--json"));
    }

    [Fact]
    public async Task A_value_from_standard_input_and_plain_text_are_written()
    {
        CtlResult put = await _ctl.RunWithInputAsync("[1,\n2]\n", "put", "input", "json", "-");
        Assert.Equal(0, put.ExitCode);
        Assert.Equal("[1,\n2]\n", await _ctl.OkAsync("get", "input", "json"));
        await _ctl.OkAsync("put", "input", "text", "--string", "he said \"no\"\n");
        Assert.Equal("\"he said \\\"no\\\"\\n\"", (await _ctl.OkAsync("get", "input", "text")).Trim());
    }

    [Fact]
    public async Task The_past_is_read_by_agent_version_key_version_and_time()
    {
        await _ctl.OkAsync("put", "past", "k", "1");
        string time = Member(await _ctl.OkAsync("get", "past", "k", "--json"), "time");
        await _ctl.OkAsync("put", "past", "k", "2");
        await _ctl.OkAsync("delete", "past", "k");
        Assert.Equal("1\n", await _ctl.OkAsync("get", "past", "k", "--at-version", "1"));
        Assert.Equal("2\n", await _ctl.OkAsync("get", "past", "k", "--key-version", "2"));
        Assert.Equal("1\n", await _ctl.OkAsync("get", "past", "k", "--at", time));
        Assert.Equal(4, (await _ctl.RunAsync("get", "past", "k")).ExitCode);
        Assert.Equal("", await _ctl.OkAsync("keys", "past"));
        Assert.Equal("k\n", await _ctl.OkAsync("keys", "past", "--at-version", "2"));
    }

    [Fact]
    public async Task A_precondition_that_does_not_hold_is_refused_with_1_and_writes_nothing()
    {
        await _ctl.OkAsync("put", "guarded", "k", "1", "--if-absent");
        CtlResult absent = await _ctl.RunAsync("put", "guarded", "k", "2", "--if-absent");
        CtlResult version = await _ctl.RunAsync("delete", "guarded", "k", "--if-version", "7");
        Assert.Equal((1, ""), (absent.ExitCode, absent.Out));
        Assert.Equal((1, ""), (version.ExitCode, version.Out));
        Assert.Contains("SH-1001", version.Error, StringComparison.Ordinal);
        Assert.Equal("1\n", await _ctl.OkAsync("get", "guarded", "k"));
    }

    [Fact]
    public async Task The_same_idempotency_key_writes_once()
    {
        string first = await _ctl.OkAsync("put", "once", "k", "1", "--idempotency-key", "i", "--json");
        string second = await _ctl.OkAsync("put", "once", "k", "1", "--idempotency-key", "i", "--json");
        Assert.Equal(Member(first, "hash"), Member(second, "hash"));
        Assert.Single((await _ctl.RunAsync("replay", "once")).Lines);
    }

    [Fact]
    public async Task Namespaces_keep_agents_apart_and_the_flag_wins_over_the_environment()
    {
        await _ctl.OkAsync("put", "shared-name", "k", "1");
        _ctl.Environment["STATEHOUSE_NAMESPACE"] = "other";
        await _ctl.OkAsync("put", "shared-name", "k", "2");
        Assert.Equal("2\n", await _ctl.OkAsync("get", "shared-name", "k"));
        Assert.Equal("1\n", await _ctl.OkAsync("get", "shared-name", "k", "--namespace", "default"));
        Assert.Equal("shared-name  version=1\n", await _ctl.OkAsync("agents"));
    }

    private static string AgentOf(string line) => Member(line, "agent");

    private static string Member(string json, string name)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty(name).ToString();
    }
}
