using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Statehouse.Agents;
using Statehouse.Gateway.Tests.Hosting;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Gateway.Tests.Sse;

/// <summary>Two servers on one PostgreSQL: a follower that leaves one goes on at the other.</summary>
public sealed class FollowOnAnotherServerTests
{
    private const string Agent = "/v1/namespaces/default/agents/planner";

    [Theory]
    [InlineData("?from=5")]
    [InlineData("", "Last-Event-ID: 4")]
    public async Task Who_has_seen_more_than_this_server_knows_goes_on_behind_it(string query, params string[] headers)
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        string database = await (await PostgresCluster.SharedAsync()).CreateDatabaseAsync();
        await using SingleNode first = await StartAsync(database);
        await using SingleNode second = await StartAsync(database);
        using var there = new ApiClient(first.Address);
        using var here = new ApiClient(second.Address);
        (await there.PutAsync(Agent + "/state/k", "1")).Expect(200);
        (await here.GetAsync(Agent + "/state/k")).Expect(200);
        for (int version = 2; version <= 4; version++)
            (await there.PutAsync(Agent + "/state/k", $"{version}")).Expect(200);

        await using EventReader stream = await here.FollowAsync(Agent + "/commits" + query, headers);
        (await there.PutAsync(Agent + "/state/k", "5")).Expect(200);
        Assert.Equal(5, (await stream.ReadCommitAsync()).Json.GetProperty("version").GetInt64());

        Reply refused = await here.GetAsync(Agent + "/commits?from=7", "Accept: text/event-stream");
        refused.ExpectProblem(400, "SH-1003");
    }

    private static async Task<SingleNode> StartAsync(string database)
    {
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        IJournalStore store = await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = database }, SilentOperatorLog.Instance, cancelled);
        var options = new GatewayOptions { HttpAddress = new IPEndPoint(IPAddress.Loopback, 0) };
        return await SingleNode.StartAsync(store, Limits.Default, options, TimeProvider.System, NullLoggerFactory.Instance, cancelled);
    }
}
