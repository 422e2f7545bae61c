using System.Globalization;
using System.Text.RegularExpressions;
using Statehouse.Silo.Tests.Hosting;

namespace Statehouse.Silo.Tests.Process;

/// <summary>Three silos and a gateway that live as long as the class.</summary>
public sealed class ThreeSilos : IAsyncLifetime
{
    internal RunningCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await RunningCluster.StartAsync(3);

    public async ValueTask DisposeAsync()
    {
        if (Cluster is not null)
            await Cluster.DisposeAsync();
    }
}

/// <summary>What a cluster of three silos and a gateway does while nothing fails.</summary>
public sealed partial class ClusterTests(ThreeSilos fixture) : IClassFixture<ThreeSilos>
{
    private const int Agents = 150;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private RunningCluster Cluster => fixture.Cluster;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Agents_land_on_all_silos_and_every_one_answers_through_the_gateway()
    {
        await Cluster.WriteAsync(Agents, "k");
        for (int i = 0; i < Agents; i++)
            Assert.Equal($"{i}", (await Cluster.Api.GetAsync(RunningCluster.AgentPath(i) + "/state/k")).Expect(200).Json.GetProperty("value").GetRawText());

        foreach (ClusterProcess silo in Cluster.Silos)
            Assert.InRange(await MetricAsync(silo, "statehouse_agents_resident"), 10, Agents);
        // The gateway hosts none.
        Assert.DoesNotContain("statehouse_agents_resident", await ScrapeAsync(Cluster.Gateway), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transaction_over_agents_of_different_silos_is_whole_or_not_there()
    {
        await Cluster.WriteAsync(12, "before");
        (await Cluster.Api.PostAsync("/v1/commits", TwelveWrites(1, ""))).Expect(201);
        for (int i = 0; i < 12; i++)
            (await Cluster.Api.GetAsync($"{RunningCluster.AgentPath(i)}/state/together")).Expect(200);

        // The last of them wants a version that is not there.
        (await Cluster.Api.PostAsync("/v1/commits", TwelveWrites(2, ",\"if_version\":9"))).ExpectProblem(409, "SH-1001");
        for (int i = 0; i < 12; i++)
            Assert.Equal(1, (await Cluster.Api.GetAsync($"{RunningCluster.AgentPath(i)}/state/together")).Expect(200).Number("version"));
    }

    [Fact]
    public async Task A_follower_through_the_gateway_sees_each_commit_once()
    {
        string agent = "/v1/namespaces/default/agents/followed";
        (await Cluster.Api.PutAsync(agent + "/state/k", "0")).Expect(200);
        await using EventReader stream = await Cluster.Api.FollowAsync(agent + "/commits");
        for (int i = 1; i < 20; i++)
            (await Cluster.Api.PutAsync(agent + "/state/k", $"{i}")).Expect(200);
        Assert.Equal(Enumerable.Range(1, 20).Select(n => $"{n}"), (await stream.ReadCommitsAsync(20)).Select(commit => commit.Id));
    }

    [Fact]
    public async Task Every_process_is_alive_and_ready_and_a_silo_serves_no_API()
    {
        foreach (ClusterProcess process in Cluster.Silos.Append(Cluster.Gateway))
        {
            (await process.Api.GetAsync("/healthz")).Expect(200);
            (await process.Api.GetAsync("/readyz")).Expect(200);
        }
        using var plain = new HttpClient { BaseAddress = Cluster.Silos[0].Http };
        using HttpResponseMessage refused = await plain.GetAsync(RunningCluster.AgentPath(1), Cancelled);
        (await Reply.ReadAsync(refused)).ExpectProblem(404, "SH-1007");
        Assert.Null(Cluster.Silos[0].Printed("grpc"));
        Assert.Null(Cluster.Gateway.Printed("silo"));
    }

    [Fact]
    public async Task Metrics_of_a_silo_hold_ours_and_Orleans_own_in_one_valid_text()
    {
        await Cluster.WriteAsync(30, "metrics");
        string text = await ScrapeAsync(Cluster.Silos[0]);
        foreach (string name in (string[])["statehouse_agents_resident", "statehouse_journal_commits_total", "orleans_catalog_activations", "orleans_directory_partition_size"])
            Assert.Contains($"# TYPE {name} ", text, StringComparison.Ordinal);
        foreach (string line in text.TrimEnd('\n').Split('\n').Where(line => !line.StartsWith('#')))
            Assert.Matches(SampleLine(), line);

        // A commit makes its way as messages: the gateway's are counted there.
        Assert.Contains("# TYPE orleans_client_connected_gateways gauge", await ScrapeAsync(Cluster.Gateway), StringComparison.Ordinal);
        Assert.Equal(3, await MetricAsync(Cluster.Gateway, "orleans_client_connected_gateways"));
    }

    [Fact]
    public async Task The_dashboard_is_a_page_and_its_counters_know_all_silos()
    {
        string address = Cluster.Silos[0].Printed("dashboard")!;
        using var http = new HttpClient();
        Assert.Contains("<html", await http.GetStringAsync(new Uri(address), Cancelled), StringComparison.OrdinalIgnoreCase);
        await Cluster.WriteAsync(30, "dashboard");
        await RunningCluster.WaitUntilAsync("the dashboard counts three silos and the agents", Bound, async () =>
        {
            string counters = await http.GetStringAsync(new Uri(address + "/DashboardCounters?exclude=none"), Cancelled);
            using var json = System.Text.Json.JsonDocument.Parse(counters);
            bool hosts = json.RootElement.GetProperty("hosts").GetArrayLength() == 3;
            return (hosts && counters.Contains("AgentStateGrain", StringComparison.Ordinal), counters);
        });
        Assert.Null(Cluster.Silos[1].Printed("dashboard"));
        // Log lines name agents, and this page asks nobody who he is.
        using HttpResponseMessage trace = await http.GetAsync(new Uri(address + "/Trace"), Cancelled);
        Assert.Equal(403, (int)trace.StatusCode);
    }

    private static string TwelveWrites(int value, string lastPrecondition)
    {
        IEnumerable<string> commits = Enumerable.Range(0, 12).Select(i =>
            $$"""{"namespace":"default","agent":"agent-{{i}}","operations":[{"op":"put","key":"together","value":{{value}}{{(i == 11 ? lastPrecondition : "")}}}]}""");
        return $$"""{"commits":[{{string.Join(',', commits)}}]}""";
    }

    private static async Task<string> ScrapeAsync(ClusterProcess process) =>
        (await process.Api.GetAsync("/metrics")).Expect(200).Body;

    private static async Task<double> MetricAsync(ClusterProcess process, string name)
    {
        string line = Assert.Single((await ScrapeAsync(process)).Split('\n'), line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("""^[a-z_:][a-z0-9_:]*(\{([A-Za-z_][A-Za-z0-9_]*="([^"\\\n]|\\[\\"n])*",?)+\})? (-?[0-9.]+(E[+-]?[0-9]+)?|[+-]Inf|NaN)$""")]
    private static partial Regex SampleLine();
}
