using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Statehouse.Agents;
using Statehouse.Gateway;
using Statehouse.Journal;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Costs.Tests.Sqlite;

/// <summary>A million agents on disk must cost nothing at start: what starts is a whole single-node server.</summary>
public sealed class SqliteStartCosts
{
    [Fact]
    public async Task A_server_starts_with_the_same_work_on_10_agents_and_on_10_000()
    {
        SqliteCounts few = await StartAsync(agents: 10);
        SqliteCounts many = await StartAsync(agents: 10_000);
        Assert.Equal(few.Statements, many.Statements);
        Assert.Equal(few.Rows, many.Rows);
        // Measured 12,388 both times: the header and two pages of the schema.
        Assert.Equal(few.DatabaseBytesRead + few.WalBytesRead, many.DatabaseBytesRead + many.WalBytesRead);
        Cost.AtMost("bytes read at start", many.DatabaseBytesRead, recorded: 12_388, slack: 1.5);
        Cost.AtMost("statements at start", many.StatementCount, recorded: 9, slack: 1.2);
    }

    private static async Task<SqliteCounts> StartAsync(int agents)
    {
        using var folder = new SqliteFolder();
        await using (AgentsUnderTest writing = await folder.OpenAsync())
            await writing.CreateAsync(agents);
        SqliteTap.Take();
        IJournalStore store = await SqliteJournalStore.OpenAsync(
            new SqliteJournalOptions { DataDirectory = folder.Path }, SilentOperatorLog.Instance, TestContext.Current.CancellationToken);
        await using SingleNode node = await SingleNode.StartAsync(
            store, Limits.Default, new GatewayOptions { HttpAddress = new IPEndPoint(IPAddress.Loopback, 0), GrpcAddress = new IPEndPoint(IPAddress.Loopback, 0) },
            TimeProvider.System, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        return SqliteTap.Take();
    }
}
