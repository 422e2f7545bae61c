using System.Globalization;
using System.Text.RegularExpressions;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

public sealed partial class MetricsTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _agent = NodeFixture.NewAgent();

    [Theory]
    [InlineData("statehouse_journal_commits_total", "counter")]
    [InlineData("statehouse_http_refusals_total", "counter")]
    [InlineData("statehouse_journal_batch_commits", "histogram")]
    [InlineData("statehouse_journal_append_duration_seconds", "histogram")]
    [InlineData("statehouse_transactions_open", "gauge")]
    [InlineData("statehouse_agents_resident", "gauge")]
    [InlineData("statehouse_feed_position", "gauge")]
    [InlineData("statehouse_http_requests_total", "counter")]
    [InlineData("statehouse_http_request_duration_seconds", "histogram")]
    public async Task What_an_operator_needs_is_there(string name, string kind)
    {
        IReadOnlyList<string> lines = await ScrapeAsync();
        Assert.Contains($"# TYPE {name} {kind}", lines);
        Assert.Contains(lines, line => line.StartsWith(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_line_is_of_the_text_format_and_every_sample_of_a_declared_family()
    {
        var kinds = new Dictionary<string, string>();
        foreach (string line in await ScrapeAsync())
        {
            if (TypeLine().Match(line) is { Success: true } type)
            {
                Assert.True(kinds.TryAdd(type.Groups[1].Value, type.Groups[2].Value), "declared twice: " + line);
                continue;
            }
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
                continue;
            Match sample = SampleLine().Match(line);
            Assert.True(sample.Success, line);
            string name = sample.Groups[1].Value;
            string family = Suffix().Replace(name, "");
            Assert.True(kinds.ContainsKey(name) || kinds.GetValueOrDefault(family) == "histogram", line);
        }
        Assert.True(kinds.Count > 15, $"{kinds.Count} families");
    }

    [Fact]
    public async Task The_buckets_of_a_histogram_grow_up_to_its_count()
    {
        IReadOnlyList<string> lines = await ScrapeAsync();
        List<double> buckets = [.. lines.Where(line => line.StartsWith("statehouse_journal_batch_commits_bucket", StringComparison.Ordinal)).Select(Value)];
        double count = Value(lines.Single(line => line.StartsWith("statehouse_journal_batch_commits_count", StringComparison.Ordinal)));
        Assert.Equal(buckets.Order(), buckets);
        Assert.True(count >= 1 && buckets.Count > 5, $"{count} in {buckets.Count} buckets");
        // Other servers of this process go on committing between the lines.
        Assert.InRange(buckets[^1], 1, count);
        Assert.Contains(lines, line => line.StartsWith("statehouse_journal_batch_commits_bucket{le=\"+Inf\"}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Requests_are_counted_by_route_and_refusals_by_code_never_by_what_a_caller_chose()
    {
        IReadOnlyList<string> lines = await ScrapeAsync();
        Assert.Contains(lines, line =>
            line.StartsWith("statehouse_http_requests_total{", StringComparison.Ordinal)
            && line.Contains("route=\"/v1/namespaces/{ns}/agents/{agent}/state/{key}\"", StringComparison.Ordinal)
            && line.Contains("status=\"200\"", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("statehouse_http_refusals_total{code=\"SH-1007\"}", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("agent-", StringComparison.Ordinal) || line.Contains("hidden-key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_metric_is_documented()
    {
        string document = await File.ReadAllTextAsync(Testing.Repository.PathOf("docs/operating.md"), TestContext.Current.CancellationToken);
        IEnumerable<string> names = (await ScrapeAsync()).Select(line => TypeLine().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value);
        Assert.DoesNotContain(names, name => !document.Contains($"`{name}`", StringComparison.Ordinal));
    }

    private async Task<IReadOnlyList<string>> ScrapeAsync()
    {
        (await server.Api.PutAsync(_agent + "/state/hidden-key", "1")).Expect(200);
        (await server.Api.GetAsync(_agent + "/state/none")).ExpectProblem(404, "SH-1007");
        (await server.Api.GetAsync("/v1/elsewhere/hidden-key")).ExpectProblem(404, "SH-1007");
        (await server.Api.PostAsync("/v1/transactions", "")).Expect(201);
        Reply reply = (await server.Api.GetAsync("/metrics")).Expect(200);
        Assert.StartsWith("text/plain; version=0.0.4", reply.Header("Content-Type"), StringComparison.Ordinal);
        Assert.EndsWith("\n", reply.Body, StringComparison.Ordinal);
        return reply.Body.TrimEnd('\n').Split('\n');
    }

    private static double Value(string line) => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);

    [GeneratedRegex("^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^([a-z_:][a-z0-9_:]*)(\{([a-z_][a-z0-9_]*="([^"\\\n]|\\[\\"n])*",?)+\})? (-?[0-9.]+(E[+-]?[0-9]+)?|[+-]Inf|NaN)$""")]
    private static partial Regex SampleLine();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
