using Statehouse.Testing;
using Xunit;

namespace Statehouse.Tidy;

/// <summary>
/// The commands of the documents, run as a reader would: block after block in one shell, against a fresh server. A
/// <c>```json</c> or <c>```text</c> block that follows says what the last answer holds; "…" stands for anything.
/// </summary>
public sealed class DocumentCommandTests
{
    private const string ServerInDocuments = "127.0.0.1:8080";

    private static readonly TimeSpan ShellBound = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/api.md")]
    [InlineData("docs/cli.md")]
    [InlineData("docs/guides/workflows.md")]
    public async Task The_commands_of_a_document_do_what_it_says(string file)
    {
        Assert.SkipUnless(ShellCommands.HasCurl, "curl is not installed");
        await using ServerProcess server = await ServerProcess.StartNewAsync(TestContext.Current.CancellationToken);
        IReadOnlyList<Example> examples = Example.In(Markdown.Read(file));
        Assert.NotEmpty(examples);

        ShellCommands shell = new(examples.Select(e => e.Command.Replace(ServerInDocuments, server.Address, StringComparison.Ordinal)));
        IReadOnlyList<string> outputs = await shell.RunAsync(ShellBound, TestContext.Current.CancellationToken);

        Found.Nothing(examples.Zip(outputs, (example, output) => (example, problem: example.Problem(output), output))
            .Where(result => result.problem is not null)
            .Select(result => $"{file}:{result.example.Line}: {result.problem}\n  it printed: {result.output}"));
        Assert.Equal(examples.Count, outputs.Count);
    }

    [Theory]
    [InlineData("up")]
    [InlineData("test")]
    [InlineData("ctl")]
    [InlineData("cluster")]
    [InlineData("faults")]
    [InlineData("bench")]
    public void The_readme_names_the_commands(string command) =>
        Assert.Contains($"./statehouse {command}", SourceTree.Read("README.md"), StringComparison.Ordinal);
}
