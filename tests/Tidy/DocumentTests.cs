using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Statehouse.Agents;
using Statehouse.Journal;
using Statehouse.Testing;
using Xunit;

namespace Statehouse.Tidy;

/// <summary>The documents say what is there, and what is there is said.</summary>
public sealed partial class DocumentTests
{
    private const string Operating = "docs/operating.md";
    private const string OperatingCluster = "docs/operating-a-cluster.md";

    [Fact]
    public void Links_between_documents_lead_somewhere() =>
        Found.Nothing(
            from file in SourceTree.Files(ending: ".md")
            from link in Markdown.Read(file).Links
            where !link.Target.Contains("://", StringComparison.Ordinal) && !LeadsSomewhere(file, link.Target)
            select $"{file}:{link.Line}: {link.Target}");

    [Fact]
    public void Every_error_code_has_a_page_and_every_page_a_code() =>
        Found.SameOnBothSides(
            "ErrorCode", Enum.GetValues<ErrorCode>().Select(code => code.Text()),
            "docs/errors", SourceTree.Files("docs/errors/").Select(file => Path.GetFileNameWithoutExtension(file)));

    [Fact]
    public void Every_error_page_says_what_happened_what_was_written_and_what_to_do() =>
        Found.Nothing(
            from file in SourceTree.Files("docs/errors/")
            from part in new[] { "What happened.", "Was anything written?", "What to do.", "Example.", $"# {Path.GetFileNameWithoutExtension(file)} " }
            where !SourceTree.Read(file).Contains(part, StringComparison.Ordinal)
            select $"{file} lacks \"{part}\"");

    [Fact]
    public void Every_error_code_stands_in_the_table_of_the_API() =>
        Found.SameOnBothSides(
            "ErrorCode", Enum.GetValues<ErrorCode>().Select(code => code.Text()),
            "docs/api.md", from row in Markdown.Read("docs/api.md").TableRows
                           let code = ErrorCodeText().Match(row[0])
                           where code.Success
                           select code.Value);

    [Fact]
    public async Task Error_pages_and_the_table_of_the_API_name_the_status_that_the_server_answers()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(TestContext.Current.CancellationToken);
        List<string[]> table = Markdown.Read("docs/api.md").TableRows.Where(row => ErrorCodeText().IsMatch(row[0])).ToList();
        foreach (string code in Enum.GetValues<ErrorCode>().Select(code => code.Text()))
        {
            using JsonDocument error = JsonDocument.Parse(
                await server.Http.GetStringAsync($"/errors/{code}", TestContext.Current.CancellationToken));
            string status = error.RootElement.GetProperty("status").GetRawText();
            Assert.Equal(status, table.Single(row => row[0].Contains(code, StringComparison.Ordinal))[^1]);
            Assert.Contains($"HTTP {status}", SourceTree.Read($"docs/errors/{code}.md"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Decisions_are_numbered_without_gap_or_repeat()
    {
        List<string> numbers = SourceTree.Files("docs/decisions/", ".md").Select(file => Path.GetFileName(file)[..4]).ToList();
        Assert.NotEmpty(numbers);
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(n => n.ToString("D4", CultureInfo.InvariantCulture)), numbers);
    }

    [Fact]
    public void Every_environment_setting_of_the_server_is_documented() =>
        AssertDocumented(from file in SourceTree.Files("src/", ".cs")
                         where !file.StartsWith("src/Silo/", StringComparison.Ordinal) && !file.StartsWith("src/LocalCluster/", StringComparison.Ordinal)
                         from Match name in EnvironmentName().Matches(SourceTree.Read(file))
                         select name.Value);

    [Fact]
    public void Every_environment_setting_and_flag_of_the_clusters_process_is_documented()
    {
        List<string> sources = [.. SourceTree.Files("src/Silo/", ".cs").Select(SourceTree.Read)];
        sources.AddRange(SourceTree.Files("src/LocalCluster/Processes/", ".cs").Select(SourceTree.Read));
        AssertDocumented(
            sources.SelectMany(text => EnvironmentName().Matches(text)).Select(name => name.Value)
                .Concat(sources.SelectMany(text => FlagLiteral().Matches(text)).Select(flag => flag.Groups[1].Value)),
            OperatingCluster);
    }

    [Fact]
    public void The_containers_of_a_cluster_are_told_what_its_process_knows()
    {
        HashSet<string> known = [.. from file in SourceTree.Files("src/Silo/", ".cs").Concat(SourceTree.Files("src/Gateway/", ".cs"))
                                    let text = SourceTree.Read(file)
                                    from Match name in EnvironmentName().Matches(text).Concat(FlagLiteral().Matches(text))
                                    select name.Groups[^1].Value];
        string[] files = ["Dockerfile", "docker-compose.cluster.yml"];
        Found.Nothing(from file in files
                      let text = SourceTree.Read(file)
                      from Match name in EnvironmentName().Matches(text).Concat(FlagLiteral().Matches(text))
                      let told = name.Groups[^1].Value
                      // The compose file's own, from which it makes the connection strings.
                      where told != "STATEHOUSE_POSTGRES_PASSWORD" && !known.Contains(told)
                      select $"{file} tells {told}, which no process knows");
    }

    [Fact]
    public void The_image_restores_with_every_project_that_the_silo_is_made_of()
    {
        string dockerfile = SourceTree.Read("Dockerfile");
        Found.Nothing(from project in SourceTree.Files("src/", ".csproj").Select(file => file.Split('/')[1])
                      where ProjectArrows.MayName("Silo", project) && !dockerfile.Contains($"COPY src/{project}/*.csproj src/{project}/", StringComparison.Ordinal)
                      select $"Dockerfile does not copy src/{project}/*.csproj before it restores");
    }

    [Fact]
    public void Every_instrument_of_the_code_is_documented_under_its_exposed_name()
    {
        List<string> instruments = (from file in SourceTree.Files("src/", ".cs")
                                    from Match name in InstrumentName().Matches(SourceTree.Read(file))
                                    select name.Groups[1].Value.Replace('.', '_')).ToList();
        Assert.NotEmpty(instruments);
        string text = SourceTree.Read(Operating);
        Found.Nothing(instruments.Where(name => !Regex.IsMatch(text, $"`{name}(_seconds|_bytes|_total)*`")));
    }

    [Fact]
    public async Task Every_metric_that_a_server_exposes_is_documented()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(TestContext.Current.CancellationToken);
        string exposed = await server.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        AssertDocumented(ExposedMetric().Matches(exposed).Select(match => match.Groups[1].Value));
    }

    [Fact]
    public void Every_limit_is_documented() =>
        AssertDocumented(typeof(Limits).GetProperties()
            .Where(property => property.CanWrite)
            .Select(property => SnakeCase().Replace(property.Name, "_$0").ToLowerInvariant()
                + (property.PropertyType == typeof(TimeSpan) ? "_ms" : "")));

    [Fact]
    public async Task Every_flag_of_the_server_is_documented_and_the_script_names_the_same()
    {
        await using ChildProcess server = ChildProcess.StartDotnet(
            Repository.BuiltDll("src/Gateway", "Statehouse.Gateway"), ["--help"]);
        Assert.Equal(0, await server.WaitForExitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        List<string> flags = Flags(server.Output);
        Assert.NotEmpty(flags);
        AssertDocumented(flags);

        await using ChildProcess script = ChildProcess.Start(Repository.PathOf("statehouse"), ["up", "--help"]);
        Assert.Equal(0, await script.WaitForExitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Found.SameOnBothSides("the server's --help", flags, "./statehouse up --help", Flags(script.Output));
    }

    [Fact]
    public async Task The_routes_of_the_API_document_are_those_that_the_server_describes()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(TestContext.Current.CancellationToken);
        string openApi = await server.Http.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken);
        Found.SameOnBothSides(
            "/openapi/v1.json", OpenApiRoutes.In(openApi),
            "docs/api.md, docs/executions.md", from file in (string[])["docs/api.md", "docs/executions.md"]
                                               from row in Markdown.Read(file).TableRows
                                               let route = RouteCell().Match(row[0])
                                               where route.Success
                                               select route.Groups[1].Value + " " + OpenApiRoutes.Expand(route.Groups[2].Value));
    }

    private static void AssertDocumented(IEnumerable<string> names, string document = Operating)
    {
        string text = SourceTree.Read(document);
        List<string> all = names.Distinct().ToList();
        Assert.NotEmpty(all);
        Found.Nothing(all.Where(name => !Regex.IsMatch(text, $@"(?<![\w-]){Regex.Escape(name)}(?![\w-])"))
            .Select(name => $"{name} is not in {document}"));
    }

    /// <summary>Flags in the text of a help page, without those that every program has.</summary>
    private static List<string> Flags(string help) =>
        Flag().Matches(help).Select(flag => flag.Value).Distinct().Except(["--help", "--version"]).ToList();

    private static bool LeadsSomewhere(string from, string target)
    {
        string[] parts = target.Split('#', 2);
        string file = parts[0].Length == 0
            ? from
            : Path.GetRelativePath(Repository.Root, Path.Combine(Repository.Root, Path.GetDirectoryName(from)!, parts[0]));
        if (!Path.Exists(Repository.PathOf(file)))
            return false;
        return parts.Length == 1 || Markdown.Read(file).Anchors.Contains(parts[1]);
    }

    [GeneratedRegex(@"SH-\d{4}")]
    private static partial Regex ErrorCodeText();

    [GeneratedRegex(@"\bSTATEHOUSE_[A-Z_]+[A-Z]\b")]
    private static partial Regex EnvironmentName();

    [GeneratedRegex(@"Create\w+(?:<\w+>)?\(\s*""(statehouse\.[a-z0-9_.]+)""")]
    private static partial Regex InstrumentName();

    [GeneratedRegex(@"^# TYPE (\S+)", RegexOptions.Multiline)]
    private static partial Regex ExposedMetric();

    [GeneratedRegex("(?<=[a-z])[A-Z]")]
    private static partial Regex SnakeCase();

    [GeneratedRegex(@"(?<![\w-])--[a-z][a-z-]+")]
    private static partial Regex Flag();

    [GeneratedRegex(@"""(--[a-z][a-z-]+)""")]
    private static partial Regex FlagLiteral();

    [GeneratedRegex(@"^`(GET|PUT|POST|DELETE) ([^`?]+)(\?[^`]*)?`")]
    private static partial Regex RouteCell();
}
