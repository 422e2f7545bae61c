using System.Text.Json;
using System.Text.RegularExpressions;

namespace Statehouse.LocalCluster.Tests;

/// <summary>docs/cluster-commands.md and the script's help say what there is.</summary>
public sealed partial class ClusterDocumentTests : IDisposable
{
    private readonly TestCluster _cluster = new();

    private static string Document => File.ReadAllText(Repository.PathOf("docs/cluster-commands.md"));

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task The_status_shown_has_the_members_of_a_real_one()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        Status status = await _cluster.StatusAsync();

        using JsonDocument shown = JsonDocument.Parse(JsonBlock().Match(Document).Groups[1].Value);
        Assert.Equal(Members(shown.RootElement), Members(status.Json));
    }

    [Fact]
    public async Task Every_command_and_flag_is_in_the_document_and_in_the_scripts_help()
    {
        await using ChildProcess script = ChildProcess.Start(Repository.PathOf("statehouse"), ["cluster", "help"]);
        Assert.Equal(0, await script.WaitForExitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        string help = await _cluster.OkAsync("--help");
        string[] commands = ["up", "add", "kill", "restart", "status", "env", "down"];
        SortedSet<string> flags = [.. Flags(help)];
        foreach (string command in commands)
        {
            Assert.Contains($"  {command} ", help, StringComparison.Ordinal);
            flags.UnionWith(Flags(await _cluster.OkAsync(command, "--help")));
            Assert.Matches($"(?m)^  {command} ", script.Output);
            Assert.Contains($"`{command}", Document, StringComparison.Ordinal);
        }
        Assert.Equal(flags, Flags(script.Output));
        Assert.Equal(flags, Flags(Document));
    }

    /// <summary>Paths of all members; those of a list's items once.</summary>
    private static SortedSet<string> Members(JsonElement value, string path = "") => value.ValueKind switch
    {
        JsonValueKind.Object => [.. value.EnumerateObject().SelectMany(member => Members(member.Value, $"{path}.{member.Name}"))],
        JsonValueKind.Array => [.. value.EnumerateArray().SelectMany(item => Members(item, path + "[]"))],
        _ => [path],
    };

    private static SortedSet<string> Flags(string text) =>
        [.. Flag().Matches(text).Select(flag => flag.Value).Except(["--help", "--version"])];

    [GeneratedRegex(@"(?<![\w-])--[a-z]+(?![\w-])")]
    private static partial Regex Flag();

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
