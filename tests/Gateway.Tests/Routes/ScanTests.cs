using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

public sealed class ScanTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private const int KeysOfCommit = 40;

    private readonly string _agent = NodeFixture.NewAgent();

    private ApiClient Api => server.Api;

    [Fact]
    public async Task Keys_come_in_byte_order_and_not_in_that_of_UTF_16()
    {
        // U+FFFD sorts before U+1F600 by bytes, after its surrogates by UTF-16 units.
        string[] keys = ["Z", "a", "a/b", "é", "\uFFFD", "😀"];
        foreach (string key in keys.Reverse())
            (await Api.PutAsync($"{_agent}/state/{Uri.EscapeDataString(key)}", "1")).Expect(200);

        Assert.Equal(keys, (await Api.GetAsync(_agent + "/state")).Expect(200).Each("key"));
        Assert.Equal(["a", "a/b"], (await Api.GetAsync(_agent + "/state?prefix=a")).Each("key"));
        Assert.Equal(["a/b", "é"], (await Api.GetAsync(_agent + "/state?after=a&limit=2")).Each("key"));
    }

    [Fact]
    public async Task Pages_joined_by_next_and_at_version_show_one_version_while_it_is_written_on()
    {
        (await Api.PostAsync(_agent + "/commits", Puts(1))).Expect(201);
        var seen = new List<JsonElement>();
        Reply page = (await Api.GetAsync(_agent + "/state?limit=7")).Expect(200);
        long version = page.Number("agent_version");
        seen.AddRange(page.Items);
        while (page.Has("next"))
        {
            (await Api.PostAsync(_agent + "/commits", Puts(2))).Expect(201);
            page = (await Api.GetAsync($"{_agent}/state?limit=7&at_version={version}&after={Uri.EscapeDataString(page.Text("next"))}")).Expect(200);
            Assert.Equal(version, page.Number("agent_version"));
            seen.AddRange(page.Items);
        }
        Assert.Equal(KeysOfCommit, seen.Select(item => item.GetProperty("key").GetString()).Distinct().Count());
        Assert.All(seen, item => Assert.Equal(1, item.GetProperty("value").GetInt32()));
    }

    [Fact]
    public async Task Without_values_only_keys_and_versions_are_sent()
    {
        await Api.PutAsync(_agent + "/state/k", "1");
        JsonElement item = Assert.Single((await Api.GetAsync(_agent + "/state?keys_only=true")).Expect(200).Items);
        Assert.False(item.TryGetProperty("value", out _));
        Assert.Equal(1, item.GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Deleted_keys_are_left_out_and_the_past_has_them()
    {
        await Api.PutAsync(_agent + "/state/k", "1");
        Reply first = await Api.GetAsync(_agent + "/commits/1");
        await Api.DeleteAsync(_agent + "/state/k");
        Assert.Empty((await Api.GetAsync(_agent + "/state")).Expect(200).Items);
        Assert.Single((await Api.GetAsync(_agent + "/state?at_version=1")).Expect(200).Items);
        Assert.Single((await Api.GetAsync(_agent + "/state?at=" + first.Text("time"))).Expect(200).Items);
        Assert.Empty((await Api.GetAsync(_agent + "/state?at_version=0")).Expect(200).Items);
    }

    [Fact]
    public async Task A_page_of_values_larger_than_the_buffer_is_whole()
    {
        string large = $"\"{new string('x', 200_000)}\"";
        for (int i = 0; i < 4; i++)
            (await Api.PutAsync($"{_agent}/state/{i}", large)).Expect(200);
        Reply page = (await Api.GetAsync(_agent + "/state")).Expect(200);
        Assert.Equal(["0", "1", "2", "3"], page.Each("key"));
        Assert.All(page.Items, item => Assert.Equal(large, item.GetProperty("value").GetRawText()));
    }

    [Fact]
    public async Task A_scan_in_a_loop_during_commits_of_40_operations_sees_no_torn_state()
    {
        const int wanted = 30;
        const int commitsMax = 5000;
        using var enough = new CancellationTokenSource();
        Task<int> writing = WriteUntilAsync(enough.Token, commitsMax);
        var seen = new HashSet<int>();
        while (seen.Count < wanted && !writing.IsCompleted)
        {
            Reply scan = (await Api.GetAsync(_agent + "/state?limit=1000")).Expect(200);
            List<int> values = [.. scan.Items.Select(item => item.GetProperty("value").GetInt32())];
            if (values.Count == 0)
                continue;
            Assert.Equal(KeysOfCommit, values.Count);
            Assert.Equal(scan.Number("agent_version"), Assert.Single(values.Distinct()));
            seen.Add(values[0]);
        }
        await enough.CancelAsync();
        int commits = await writing;
        Assert.True(seen.Count == wanted, $"{seen.Count} states seen of {commits} commits");
    }

    private async Task<int> WriteUntilAsync(CancellationToken enough, int commitsMax)
    {
        int commits = 0;
        while (!enough.IsCancellationRequested && commits < commitsMax)
            (await Api.PostAsync(_agent + "/commits", Puts(++commits))).Expect(201);
        return commits;
    }

    /// <summary>A commit that writes one value to all keys.</summary>
    private static string Puts(int value) =>
        "{\"operations\":[" + string.Join(',', Enumerable.Range(0, KeysOfCommit).Select(i =>
            $$"""{"op":"put","key":"k/{{i}}","value":{{value}}}""")) + "]}";
}
