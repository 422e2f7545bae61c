using Npgsql;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>The queries of Orleans' membership table: who is in the cluster, in one order of changes.</summary>
public sealed class OrleansMembershipQueryTests : OrleansQueryFixture
{
    private const int Joining = 2;
    private const int Active = 3;
    private const int Dead = 6;

    [Fact]
    public void The_rows_are_those_that_the_providers_of_Orleans_10_4_ask_for() => Assert.Equal(
        [
            "CleanupDefunctSiloEntriesKey", "ClearStorageKey", "DeleteMembershipTableEntriesKey", "DeleteReminderRowKey",
            "DeleteReminderRowsKey", "DeleteStorageKey", "GatewaysQueryKey", "InsertMembershipKey", "InsertMembershipVersionKey",
            "MembershipReadAllKey", "MembershipReadRowKey", "ReadFromStorageKey", "ReadRangeRows1Key", "ReadRangeRows2Key",
            "ReadReminderRowKey", "ReadReminderRowsKey", "UpdateIAmAlivetimeKey", "UpdateMembershipKey", "UpsertReminderRowKey",
            "WriteToStorageKey",
        ],
        Keys.Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_cluster_is_new_once_and_begins_at_version_0_without_silos()
    {
        Assert.True(await CreateClusterAsync("blue"));
        Assert.False(await CreateClusterAsync("blue"));

        Dictionary<string, object?> row = Assert.Single(await ReadAllAsync("blue"));
        Assert.Equal(0, row["Version"]);
        Assert.Null(row["StartTime"]);
    }

    [Fact]
    public async Task A_silo_that_joins_is_read_back_as_it_was_written()
    {
        await CreateClusterAsync("blue");
        Assert.True(await InsertAsync("blue", port: 11111, version: 0));

        Dictionary<string, object?> row = Assert.Single(await ReadAllAsync("blue"));

        Assert.Equal(1, row["Version"]);
        Assert.Equal("10.0.0.1", row["Address"]);
        Assert.Equal(11111, row["Port"]);
        Assert.Equal(7, row["Generation"]);
        Assert.Equal("silo-11111", row["SiloName"]);
        Assert.Equal("host", row["HostName"]);
        Assert.Equal(Joining, row["Status"]);
        Assert.Equal(30000, row["ProxyPort"]);
        Assert.Null(row["SuspectTimes"]);
        Assert.Equal(Kept(Noon), row["StartTime"]);
        Assert.Equal(Kept(Noon), row["IAmAliveTime"]);
    }

    [Fact]
    public async Task A_row_is_read_with_the_version_of_the_table_and_an_absent_silo_is_the_version_alone()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);
        await InsertAsync("blue", port: 2, version: 1);

        Dictionary<string, object?> found = Assert.Single(await ReadRowAsync("blue", port: 2));
        Dictionary<string, object?> absent = Assert.Single(await ReadRowAsync("blue", port: 3));

        Assert.Equal((2, "silo-2"), ((int)found["Version"]!, (string)found["SiloName"]!));
        Assert.Equal(2, absent["Version"]);
        Assert.Null(absent["StartTime"]);
    }

    [Fact]
    public async Task Joining_on_a_version_that_moved_on_changes_nothing()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);

        Assert.False(await InsertAsync("blue", port: 2, version: 0));
        Assert.False(await InsertAsync("blue", port: 2, version: 2));

        await AssertStateAsync("blue", version: 1, ports: [1]);
    }

    [Fact]
    public async Task Joining_twice_changes_nothing_the_version_included()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);

        Assert.False(await InsertAsync("blue", port: 1, version: 1));

        await AssertStateAsync("blue", version: 1, ports: [1]);
    }

    [Fact]
    public async Task Joining_a_cluster_that_was_never_made_is_refused() => Assert.False(await InsertAsync("nowhere", port: 1, version: 0));

    [Fact]
    public async Task Of_eight_silos_that_join_at_once_on_one_version_one_gets_in()
    {
        await CreateClusterAsync("blue");

        bool[] joined = await Task.WhenAll(Enumerable.Range(1, 8).Select(port => Task.Run(() => InsertAsync("blue", port, version: 0))));

        Assert.Single(joined, true);
        await AssertStateAsync("blue", version: 1, ports: [Array.IndexOf(joined, true) + 1]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_that_waits_for_another_one_is_refused_when_that_one_moved_the_version(bool joining)
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);
        await using NpgsqlConnection other = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(other, "begin");
        await using (NpgsqlCommand first = Command(other, "InsertMembershipKey", Silo("blue", port: 2, version: 1)))
            Assert.Equal(true, await first.ExecuteScalarAsync(Cancellation));

        Task<bool> second = joining ? InsertAsync("blue", port: 3, version: 1) : UpdateAsync("blue", port: 1, version: 1, Dead);
        await PostgresCluster.WaitUntilAsync(
            Database, "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')", "the second change waits for the first");
        await RunAsync(other, "commit");

        Assert.False(await second);
        await AssertStateAsync("blue", version: 2, ports: [1, 2]);
        Assert.Equal(Joining, Assert.Single(await ReadRowAsync("blue", port: 1))["Status"]);
    }

    [Fact]
    public async Task A_change_of_a_silo_moves_the_version_by_one_and_keeps_the_rest_of_the_row()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);

        Assert.True(await UpdateAsync("blue", port: 1, version: 1, Active));
        Assert.True(await UpdateAsync("blue", port: 1, version: 2, Dead, "S10.0.0.2:2:7,2026-03-01 12:00:00.000 GMT"));

        Dictionary<string, object?> row = Assert.Single(await ReadRowAsync("blue", port: 1));
        Assert.Equal(3, row["Version"]);
        Assert.Equal(Dead, row["Status"]);
        Assert.Equal("S10.0.0.2:2:7,2026-03-01 12:00:00.000 GMT", row["SuspectTimes"]);
        Assert.Equal("silo-1", row["SiloName"]);
        Assert.Equal(Kept(Noon), row["StartTime"]);
        Assert.Equal(Kept(Noon.AddMinutes(1)), row["IAmAliveTime"]);
    }

    [Fact]
    public async Task A_change_on_a_version_that_moved_on_or_of_an_absent_silo_changes_nothing()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);

        Assert.False(await UpdateAsync("blue", port: 1, version: 0, Dead));
        Assert.False(await UpdateAsync("blue", port: 1, version: 2, Dead));
        Assert.False(await UpdateAsync("blue", port: 2, version: 1, Dead));

        await AssertStateAsync("blue", version: 1, ports: [1]);
        Assert.Equal(Joining, Assert.Single(await ReadRowAsync("blue", port: 1))["Status"]);
    }

    [Fact]
    public async Task A_sign_of_life_moves_its_time_and_no_version()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);
        await InsertAsync("blue", port: 2, version: 1);

        await AskAsync(
            "UpdateIAmAlivetimeKey",
            ("DeploymentId", "blue"), ("Address", "10.0.0.1"), ("Port", 1), ("Generation", 7), ("IAmAliveTime", Noon.AddHours(1)));

        Assert.Equal(Kept(Noon.AddHours(1)), Assert.Single(await ReadRowAsync("blue", port: 1))["IAmAliveTime"]);
        Assert.Equal(Kept(Noon), Assert.Single(await ReadRowAsync("blue", port: 2))["IAmAliveTime"]);
        await AssertStateAsync("blue", version: 2, ports: [1, 2]);
    }

    [Fact]
    public async Task Gateways_are_the_active_silos_that_clients_can_reach()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0, status: Active);
        await InsertAsync("blue", port: 2, version: 1, status: Active, proxyPort: 0);
        await InsertAsync("blue", port: 3, version: 2, status: Dead);

        Dictionary<string, object?> gateway = Assert.Single(await AskAsync("GatewaysQueryKey", ("DeploymentId", "blue"), ("Status", Active)));

        Assert.Equal(("10.0.0.1", 30000, 7), ((string)gateway["Address"]!, (int)gateway["ProxyPort"]!, (int)gateway["Generation"]!));
    }

    [Fact]
    public async Task Cleaning_up_removes_what_is_not_active_and_old_and_moves_no_version()
    {
        await CreateClusterAsync("blue");
        int version = 0;
        foreach (int status in Enumerable.Range(0, 7))
            await InsertAsync("blue", port: 10 + status, version++, status, alive: Noon.AddDays(-10), start: Noon.AddDays(-11));
        await InsertAsync("blue", port: 20, version++, Dead, alive: Noon.AddDays(-1), start: Noon.AddDays(-11));
        // A silo that started lately and showed no life since: its start counts.
        await InsertAsync("blue", port: 21, version++, Dead, alive: Noon.AddDays(-10), start: Noon.AddDays(-1));

        await CleanUpAsync("blue", Noon.AddDays(-7));

        await AssertStateAsync("blue", version, ports: [10 + Active, 20, 21]);
    }

    [Fact]
    public async Task Cleaning_up_removes_the_silo_whose_time_plus_one_tick_is_the_bound()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0, Dead);
        await InsertAsync("blue", port: 2, version: 1, Dead, alive: Noon.AddMicroseconds(1));
        var time = (DateTime)Assert.Single(await ReadRowAsync("blue", port: 1))["IAmAliveTime"]!;

        await CleanUpAsync("blue", time.AddTicks(1));

        await AssertStateAsync("blue", version: 2, ports: [2]);
    }

    [Fact]
    public async Task Clusters_of_one_database_do_not_see_each_other()
    {
        await CreateClusterAsync("blue");
        await CreateClusterAsync("green");
        await InsertAsync("blue", port: 1, version: 0, Active);
        await InsertAsync("green", port: 1, version: 0, Dead);
        await InsertAsync("green", port: 2, version: 1, Dead);

        await CleanUpAsync("green", Noon);
        await AssertStateAsync("green", version: 2, ports: []);
        await AssertStateAsync("blue", version: 1, ports: [1]);
        Assert.Empty(await AskAsync("GatewaysQueryKey", ("DeploymentId", "green"), ("Status", Active)));

        await AskAsync("DeleteMembershipTableEntriesKey", ("DeploymentId", "green"));
        Assert.Empty(await ReadAllAsync("green"));
        await AssertStateAsync("blue", version: 1, ports: [1]);
    }

    [Fact]
    public async Task Deleting_a_cluster_takes_its_silos_along()
    {
        await CreateClusterAsync("blue");
        await InsertAsync("blue", port: 1, version: 0);

        await AskAsync("DeleteMembershipTableEntriesKey", ("DeploymentId", "blue"));

        Assert.Equal(0, await PostgresCluster.QueryAsync<long>(Database, "select count(*) from statehouse_orleans.OrleansMembershipTable"));
        Assert.True(await CreateClusterAsync("blue"));
        await AssertStateAsync("blue", version: 0, ports: []);
    }

    private Task<bool> CreateClusterAsync(string cluster) => AskWhetherAsync("InsertMembershipVersionKey", ("DeploymentId", cluster));

    private Task<bool> InsertAsync(
        string cluster, int port, int version, int status = Joining, int proxyPort = 30000, DateTime? alive = null, DateTime? start = null) =>
        AskWhetherAsync("InsertMembershipKey", Silo(cluster, port, version, status, proxyPort, alive, start));

    private static (string Name, object? Value)[] Silo(
        string cluster, int port, int version, int status = Joining, int proxyPort = 30000, DateTime? alive = null, DateTime? start = null) =>
        [
            ("DeploymentId", cluster), ("IAmAliveTime", alive ?? Noon), ("SiloName", $"silo-{port}"), ("HostName", "host"),
            ("Address", "10.0.0.1"), ("Port", port), ("Generation", 7), ("StartTime", start ?? alive ?? Noon), ("Status", status),
            ("ProxyPort", proxyPort), ("Version", version),
        ];

    private Task<bool> UpdateAsync(string cluster, int port, int version, int status, string? suspectTimes = null) => AskWhetherAsync(
        "UpdateMembershipKey",
        ("DeploymentId", cluster), ("Address", "10.0.0.1"), ("Port", port), ("Generation", 7), ("IAmAliveTime", Noon.AddMinutes(1)),
        ("Status", status), ("SuspectTimes", suspectTimes), ("Version", version));

    private Task CleanUpAsync(string cluster, DateTime before) =>
        AskAsync("CleanupDefunctSiloEntriesKey", ("DeploymentId", cluster), ("IAmAliveTime", before));

    private Task<List<Dictionary<string, object?>>> ReadAllAsync(string cluster) => AskAsync("MembershipReadAllKey", ("DeploymentId", cluster));

    private Task<List<Dictionary<string, object?>>> ReadRowAsync(string cluster, int port) => AskAsync(
        "MembershipReadRowKey", ("DeploymentId", cluster), ("Address", "10.0.0.1"), ("Port", port), ("Generation", 7));

    private async Task AssertStateAsync(string cluster, int version, int[] ports)
    {
        List<Dictionary<string, object?>> rows = await ReadAllAsync(cluster);
        Assert.All(rows, row => Assert.Equal(version, row["Version"]));
        Assert.Equal(ports, rows.Where(row => row["StartTime"] is not null).Select(row => (int)row["Port"]!).Order());
        Assert.NotEmpty(rows);
    }
}
