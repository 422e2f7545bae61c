using System.Text;
using System.Text.Json;

namespace Statehouse.Cli.Tests;

public sealed class DumpLoadTests : IClassFixture<ServerFixture>, IDisposable
{
    private readonly ServerProcess _server;
    private readonly Ctl _ctl;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-dump-");

    public DumpLoadTests(ServerFixture fixture)
    {
        _server = fixture.Server;
        _ctl = new Ctl($"http://{_server.Address}");
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Dump => Path.Combine(_folder.FullName, "dump.jsonl");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData()]
    [InlineData("--keep-commits")]
    [InlineData("--batch", "7")]
    public async Task A_dump_loaded_into_an_empty_agent_makes_the_same_state_with_the_same_key_versions(params string[] flags)
    {
        string source = $"round trip/{string.Concat(flags)}";
        await WriteAsync(source, commits: 40);
        await _ctl.OkAsync("dump", source, "-o", Dump);
        await _ctl.OkAsync(["load", Dump, "--into", source + " copy", .. flags]);

        Assert.Equal(await StateAsync(source), await StateAsync(source + " copy"));
        Assert.StartsWith("OK", await _ctl.OkAsync("verify", source + " copy"), StringComparison.Ordinal);
        // A tombstone's version is state too: writing on goes on from it.
        Assert.Equal(await NextVersionAsync(source), await NextVersionAsync(source + " copy"));
    }

    [Fact]
    public async Task Commits_that_are_kept_keep_their_versions_and_metadata()
    {
        await WriteAsync("kept", commits: 5);
        await _ctl.OkAsync("dump", "kept", "-o", Dump);
        await _ctl.OkAsync("load", Dump, "--into", "kept copy", "--keep-commits");
        IReadOnlyList<string> source = (await _ctl.RunAsync("replay", "kept", "--json")).Lines;
        IReadOnlyList<string> copy = (await _ctl.RunAsync("replay", "kept copy", "--json")).Lines;
        Assert.Equal(source.Select(line => Members(line, "version", "operations", "metadata")), copy.Select(line => Members(line, "version", "operations", "metadata")));
    }

    [Fact]
    public async Task A_load_that_was_interrupted_goes_on_where_it_was_and_nothing_is_written_twice()
    {
        await WriteAsync("resumed", commits: 30);
        await _ctl.OkAsync("dump", "resumed", "-o", Dump);
        string[] lines = await File.ReadAllLinesAsync(Dump, Cancelled);

        // Standard input is loaded while it comes: the dump breaks off, what came before is written.
        CtlResult broken = await _ctl.RunWithInputAsync(string.Join('\n', lines[..21]) + "\n", "load", "-", "--into", "half", "--batch", "4");
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("damaged at version 21", broken.Error, StringComparison.Ordinal);
        Assert.NotEqual("", await _ctl.OkAsync("keys", "half"));

        using JsonDocument report = JsonDocument.Parse((await _ctl.RunAsync("load", Dump, "--into", "half", "--batch", "9", "--json")).Out);
        Assert.InRange(report.RootElement.GetProperty("skipped").GetInt64(), 1, 20);
        Assert.Equal(30, report.RootElement.GetProperty("skipped").GetInt64() + report.RootElement.GetProperty("loaded").GetInt64());
        Assert.Equal(await StateAsync("resumed"), await StateAsync("half"));
        string again = await _ctl.OkAsync("load", Dump, "--into", "half");
        Assert.Contains("loaded=0  skipped=30", again, StringComparison.Ordinal);
        Assert.Equal(await StateAsync("resumed"), await StateAsync("half"));
    }

    [Fact]
    public async Task A_file_that_was_changed_or_cut_is_refused_before_anything_is_written()
    {
        await WriteAsync("file", commits: 10);
        await _ctl.OkAsync("dump", "file", "-o", Dump);
        string whole = await File.ReadAllTextAsync(Dump, Cancelled);
        string changed = whole.Replace("round\\\": 6", "round\\\": 7", StringComparison.Ordinal);
        Assert.NotEqual(whole, changed);
        foreach ((string text, string says) in new[]
        {
            (changed, "damaged at version 6"),
            (whole[..^40], "damaged at version 10"),
            (string.Join('\n', whole.Split('\n')[..8]), "damaged at version 8"),
            (string.Join('\n', whole.Split('\n').Where((_, i) => i != 4)), "damaged at version 4"),
        })
        {
            await File.WriteAllTextAsync(Dump, text, Cancelled);
            CtlResult result = await _ctl.RunAsync("load", Dump, "--into", "never");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(says, result.Error, StringComparison.Ordinal);
        }
        Assert.Equal(4, (await _ctl.RunAsync("inspect", "never")).ExitCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello\n")]
    [InlineData("{\"version\":1}\n")]
    [InlineData("{\"statehouse_dump\":2,\"namespace\":\"n\",\"agent\":\"a\",\"head\":{}}\n")]
    [InlineData("{\"statehouse_dump\":1,\"namespace\":\"n\",\"agent\":\"a\",\"head\":{}}\n")]
    [InlineData("{\"statehouse_dump\":1,\"namespace\":7,\"agent\":\"a\",\"head\":{}}\n")]
    public async Task What_is_no_dump_is_wrong_usage(string text)
    {
        await File.WriteAllTextAsync(Dump, text, Cancelled);
        CtlResult result = await _ctl.RunAsync("load", Dump);
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_holds_something_else_is_written_only_with_append()
    {
        await WriteAsync("origin", commits: 3);
        await _ctl.OkAsync("dump", "origin", "-o", Dump);
        await _ctl.OkAsync("put", "occupied", "mine", "1");
        CtlResult refused = await _ctl.RunAsync("load", Dump, "--into", "occupied");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--append", refused.Error, StringComparison.Ordinal);
        Assert.Equal("mine\n", await _ctl.OkAsync("keys", "occupied"));

        await _ctl.OkAsync("load", Dump, "--into", "occupied", "--append");
        Assert.Equal("1\n", await _ctl.OkAsync("get", "occupied", "mine"));
        Assert.Contains("round", await _ctl.OkAsync("get", "occupied", "k1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_namespace_is_the_dumps_unless_one_is_asked_for()
    {
        await _ctl.OkAsync("put", "moved", "k", "1", "-N", "from");
        await _ctl.OkAsync("dump", "moved", "-N", "from", "-o", Dump);
        await _ctl.OkAsync("load", Dump, "-N", "to");
        Assert.Equal("1\n", await _ctl.OkAsync("get", "moved", "k", "-N", "to"));
        await _ctl.OkAsync("load", Dump, "--into", "beside");
        Assert.Equal("1\n", await _ctl.OkAsync("get", "beside", "k", "-N", "from"));
    }

    [Fact]
    public async Task A_dump_that_fails_leaves_the_file_that_was_there()
    {
        await WriteAsync("unwritable", commits: 1);
        Assert.Equal(2, (await _ctl.RunAsync("dump", "unwritable", "-o", Path.Combine(_folder.FullName, "no-such-folder", "file"))).ExitCode);
        Assert.Equal(2, (await _ctl.RunAsync("dump", "unwritable", "-o", _folder.FullName)).ExitCode);
        await File.WriteAllTextAsync(Dump, "older", Cancelled);
        Assert.Equal(4, (await _ctl.RunAsync("dump", "nobody", "-o", Dump)).ExitCode);
        Assert.Equal("older", await File.ReadAllTextAsync(Dump, Cancelled));
        Assert.Single(_folder.GetFiles());
    }

    [Fact]
    public async Task A_dump_is_json_lines_also_where_values_hold_line_breaks_and_text_is_for_people()
    {
        await WriteAsync("shape", commits: 3);
        IReadOnlyList<string> lines = (await _ctl.RunAsync("dump", "shape")).Lines;
        Assert.Equal(4, lines.Count);
        Assert.Equal(1, Number(lines[0], "statehouse_dump"));
        Assert.All(lines, line => JsonDocument.Parse(line).Dispose());
        string text = await _ctl.OkAsync("dump", "shape", "--format", "text");
        Assert.Contains("COMMIT  version=3", text, StringComparison.Ordinal);
        Assert.DoesNotContain("statehouse_dump", text, StringComparison.Ordinal);
    }

    /// <summary>Commits with several operations, deletes, metadata, and a value that holds line breaks.</summary>
    private async Task WriteAsync(string agent, int commits)
    {
        for (int i = 1; i <= commits; i++)
        {
            string json = $$"""
                {"operations":[{"op":"put","key":"k{{i % 5}}","value":{"round": {{i}},
                  "exact":1.0{{i}}0} },{"op":"put","key":"gone","value":"ü\u0007"},{"op":"delete","key":"gone"}],"metadata":{"run": {{i}} } }
                """;
            using var body = new StringContent(json, Encoding.UTF8, "application/json");
            using HttpResponseMessage response = await _server.Http.PostAsync(
                $"/v1/namespaces/default/agents/{Uri.EscapeDataString(agent)}/commits", body, Cancelled);
            response.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Keys, values and key versions, without what is new in any copy.</summary>
    private async Task<string[]> StateAsync(string agent) =>
        (await _ctl.RunAsync("scan", agent, "--json")).Lines.Select(line => Members(line, "key", "value", "version")).ToArray();

    private async Task<long> NextVersionAsync(string agent) =>
        Number(await _ctl.OkAsync("put", agent, "gone", "1", "--json"), "key_version");

    private static string Members(string line, params string[] names)
    {
        using JsonDocument item = JsonDocument.Parse(line);
        return string.Join(' ', names.Select(name => item.RootElement.GetProperty(name).GetRawText()));
    }

    private static long Number(string line, string name)
    {
        using JsonDocument item = JsonDocument.Parse(line);
        return item.RootElement.GetProperty(name).GetInt64();
    }
}
