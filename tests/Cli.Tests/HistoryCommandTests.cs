using System.Text;
using System.Text.Json;

namespace Statehouse.Cli.Tests;

public sealed class HistoryCommandTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly Ctl _ctl = new($"http://{fixture.Server.Address}");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_operation_is_a_line_whose_verb_says_what_it_is()
    {
        await _ctl.OkAsync("put", "verbs", "task", "{\"a\": 1}");
        await _ctl.OkAsync("put", "verbs", "tool/search", "\"3 hits\"");
        await _ctl.OkAsync("put", "verbs", "note/1", "[]");
        await _ctl.OkAsync("put", "verbs", "final/answer", "42");
        await _ctl.OkAsync("delete", "verbs", "final/answer");
        IReadOnlyList<string> lines = (await _ctl.RunAsync("replay", "verbs")).Lines;
        Assert.Equal(
            ["  agent=verbs  WRITE  key=task  v=1  {\"a\": 1}", "  agent=verbs  TOOL   key=tool/search  v=1  \"3 hits\"",
             "  agent=verbs  NOTE   key=note/1  v=1  []", "  agent=verbs  FINAL  key=final/answer  v=1  42",
             "  agent=verbs  DEL    key=final/answer  v=2"],
            lines.Select(line => line["HH:MM:SSZ".Length..]));
        Assert.All(lines, line => Assert.Matches(@"^\d\d:\d\d:\d\dZ  ", line));
    }

    [Theory]
    [InlineData("60")]
    [InlineData("100")]
    public async Task A_line_is_cut_to_the_width_also_where_characters_are_wide(string columns)
    {
        string agent = "wide" + columns;
        await _ctl.OkAsync("put", agent, "k", $"\"{string.Concat(Enumerable.Repeat("国", 200))}\"");
        _ctl.Environment["COLUMNS"] = columns;
        string line = Assert.Single((await _ctl.RunAsync("replay", agent)).Lines);
        Assert.EndsWith("…", line, StringComparison.Ordinal);
        int width = line.EnumerateRunes().Sum(rune => rune.Value == '国' ? 2 : 1);
        Assert.InRange(width, int.Parse(columns, null) - 1, int.Parse(columns, null));
        Assert.Equal(200, (await _ctl.OkAsync("replay", agent, "--verbose")).Count(c => c == '国'));
    }

    [Fact]
    public async Task What_an_agent_wrote_cannot_command_the_terminal()
    {
        await _ctl.OkAsync("put", "evil\u001b[2J", "key\u202e\nWRITE fake", "\"\u009b31m\"");
        foreach (string[] command in (string[][])[["replay", "evil\u001b[2J"], ["scan", "evil\u001b[2J"], ["agents"], ["feed", "--verbose"]])
        {
            string shown = await _ctl.OkAsync(command);
            Assert.DoesNotContain(shown, c => c is '\u001b' or '\u009b' or '\u202e');
            Assert.DoesNotContain("\nWRITE", shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Json_lines_stay_lines_and_stay_valid_whatever_the_values_look_like()
    {
        await _ctl.OkAsync("put", "lines", "k", "{\"a\":\n1.50,\r\n\"b\":[2,\n3]}");
        await _ctl.OkAsync("put", "lines", "l", "\"line\\nbreak\"");
        foreach (string[] command in (string[][])[["replay", "lines"], ["tail", "lines"], ["scan", "lines"], ["keys", "lines"], ["feed"], ["agents"], ["inspect", "lines"], ["verify", "lines"]])
        {
            CtlResult result = await _ctl.RunAsync([.. command, "--json"]);
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Assert.NotEmpty(result.Lines);
            Assert.All(result.Lines, line => JsonDocument.Parse(line).Dispose());
        }
        Assert.Contains("1.50", (await _ctl.RunAsync("replay", "lines", "--json")).Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_is_bounded_by_commit_ts_inclusively_and_by_number()
    {
        await CommitAsync("bounded", commits: 20);
        long[] positions = (await _ctl.RunAsync("replay", "bounded", "--json")).Lines.Select(CommitTs).ToArray();
        Assert.Equal(20, positions.Length);
        Assert.Equal(positions[4..10], await ReplayedAsync("--start-ts", $"{positions[4]}", "--end-ts", $"{positions[9]}"));
        Assert.Equal(positions[4..10], await ReplayedAsync("--start-ts", $"{positions[3] + 1}", "--end-ts", $"{positions[10] - 1}"));
        Assert.Equal(positions[4..7], await ReplayedAsync("--start-ts", $"{positions[4]}", "--limit", "3"));
        Assert.Empty(await ReplayedAsync("--start-ts", $"{positions[19] + 1}"));
        Assert.Equal(positions, await ReplayedAsync("--start-ts", "0"));

        async Task<long[]> ReplayedAsync(params string[] bounds) =>
            (await _ctl.RunAsync(["replay", "bounded", "--json", .. bounds])).Lines.Select(CommitTs).ToArray();
    }

    [Fact]
    public async Task Long_lists_and_histories_come_whole_over_all_their_pages()
    {
        const int Commits = 450;
        await CommitAsync("long", Commits);
        Assert.Equal(Enumerable.Range(1, Commits), (await _ctl.RunAsync("replay", "long", "--json")).Lines.Select(Version));
        Assert.Equal(Enumerable.Range(Commits - 249, 250), (await _ctl.RunAsync("tail", "long", "-n", "250", "--json")).Lines.Select(Version));
        Assert.Equal(Commits, (await _ctl.RunAsync("scan", "long")).Lines.Count);
        Assert.Equal(100, (await _ctl.RunAsync("keys", "long", "--at-version", "100")).Lines.Count);
        Assert.Contains($"commits={Commits} ", await _ctl.OkAsync("verify", "long"), StringComparison.Ordinal);
        Assert.Equal(Commits, (await _ctl.RunAsync("feed", "--json")).Lines.Count(line => line.Contains("\"agent\":\"long\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_feed_shows_one_namespace_or_all_and_says_which()
    {
        await _ctl.OkAsync("put", "here", "k", "1", "-N", "feed-a");
        await _ctl.OkAsync("put", "there", "k", "1", "-N", "feed-b");
        Assert.Contains("agent=here ", Assert.Single((await _ctl.RunAsync("feed", "-N", "feed-a")).Lines), StringComparison.Ordinal);
        string all = await _ctl.OkAsync("feed", "-A");
        Assert.Contains("agent=feed-a/here ", all, StringComparison.Ordinal);
        Assert.Contains("agent=feed-b/there ", all, StringComparison.Ordinal);
        Assert.Single((await _ctl.RunAsync("feed", "-A", "--limit", "1")).Lines);
    }

    [Fact]
    public async Task A_terminal_gets_colour_unless_it_was_refused()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "script, which runs a command on a terminal of its own, is not installed");
        await _ctl.OkAsync("put", "colour", "k", "1");
        Assert.Contains("\u001b[32mWRITE", await OnTerminalAsync(""), StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[3", await OnTerminalAsync("", " --no-color"), StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[3", await OnTerminalAsync("NO_COLOR=1 "), StringComparison.Ordinal);
    }

    private async Task<string> OnTerminalAsync(string before, string after = "")
    {
        string command = $"env -u NO_COLOR {before}TERM=xterm '{ChildProcess.DotnetHost}' '{Ctl.Dll}' replay colour --server {fixture.Server.Address}{after}";
        await using ChildProcess terminal = ChildProcess.Start("/usr/bin/script", ["-qec", command, "/dev/null"]);
        Assert.Equal(0, await terminal.WaitForExitAsync(TimeSpan.FromSeconds(60), Cancelled));
        return terminal.Output;
    }

    private async Task CommitAsync(string agent, int commits)
    {
        for (int i = 1; i <= commits; i++)
        {
            using var body = new StringContent($$"""{"operations":[{"op":"put","key":"k{{i:D4}}","value":{{i}}}]}""", Encoding.UTF8, "application/json");
            using HttpResponseMessage response = await fixture.Server.Http.PostAsync($"/v1/namespaces/default/agents/{agent}/commits", body, Cancelled);
            response.EnsureSuccessStatusCode();
        }
    }

    private static int Version(string line) => (int)Number(line, "version");

    private static long CommitTs(string line) => Number(line, "commit_ts");

    private static long Number(string line, string name)
    {
        using JsonDocument commit = JsonDocument.Parse(line);
        return commit.RootElement.GetProperty(name).GetInt64();
    }
}
