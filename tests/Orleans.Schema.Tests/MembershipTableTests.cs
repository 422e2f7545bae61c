using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.MembershipService;

namespace Statehouse.OrleansTables.Tests;

/// <summary>Orleans' AdoNet membership table on our schema: each of its operations.</summary>
public sealed class MembershipTableTests(OrleansDatabase database) : ProviderTest(database)
{
    private readonly string _clusterId = "cluster-" + NewName();
    private AdoNetClusteringTable _table = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _table = Table(_clusterId);
        await _table.InitializeMembershipTable(tryInitTableVersion: true);
    }

    [Fact]
    public async Task A_new_cluster_is_empty_at_version_0_however_many_silos_initialize_it()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Table(_clusterId).InitializeMembershipTable(tryInitTableVersion: true)));

        MembershipTableData data = await _table.ReadAll();
        Assert.Empty(data.Members);
        Assert.Equal(0, data.Version.Version);
    }

    [Fact]
    public async Task A_silo_that_was_inserted_is_read_back_whole()
    {
        MembershipEntry entry = Entry(port: 1);
        Assert.True(await InsertAsync(entry));

        MembershipEntry read = Assert.Single((await _table.ReadRow(entry.SiloAddress)).Members).Item1;

        Assert.Equal(
            (entry.SiloAddress, entry.Status, entry.HostName, entry.SiloName, entry.ProxyPort, entry.StartTime, entry.IAmAliveTime),
            (read.SiloAddress, read.Status, read.HostName, read.SiloName, read.ProxyPort, read.StartTime, read.IAmAliveTime));
        Assert.Null(read.SuspectTimes);
        Assert.Equal(1, (await _table.ReadAll()).Version.Version);
    }

    [Fact]
    public async Task Inserting_twice_or_on_an_old_version_is_refused()
    {
        TableVersion empty = (await _table.ReadAll()).Version.Next();
        Assert.True(await _table.InsertRow(Entry(port: 1), empty));

        Assert.False(await _table.InsertRow(Entry(port: 2), empty));
        Assert.False(await InsertAsync(Entry(port: 1)));

        MembershipTableData data = await _table.ReadAll();
        Assert.Equal((1, 1), (data.Version.Version, data.Members.Count));
    }

    [Fact]
    public async Task Silos_that_join_at_once_all_get_in_after_as_many_versions()
    {
        await Task.WhenAll(Enumerable.Range(1, 6).Select(port => Task.Run(() => JoinAsync(Entry(port)), Cancellation)));

        MembershipTableData data = await _table.ReadAll();
        Assert.Equal((6, 6), (data.Version.Version, data.Members.Count));
    }

    [Fact]
    public async Task An_update_is_read_back_with_its_votes_and_is_refused_on_an_old_version()
    {
        MembershipEntry entry = Entry(port: 1);
        await InsertAsync(entry);
        TableVersion before = (await _table.ReadAll()).Version.Next();
        entry.Status = SiloStatus.Dead;
        entry.SuspectTimes = [Tuple.Create(Entry(port: 2).SiloAddress, Time(1)), Tuple.Create(Entry(port: 3).SiloAddress, Time(2))];

        Assert.True(await _table.UpdateRow(entry, "", before));
        Assert.False(await _table.UpdateRow(entry, "", before));

        MembershipTableData data = await _table.ReadRow(entry.SiloAddress);
        MembershipEntry read = Assert.Single(data.Members).Item1;
        Assert.Equal(2, data.Version.Version);
        Assert.Equal(SiloStatus.Dead, read.Status);
        Assert.Equal(entry.SuspectTimes, read.SuspectTimes);
    }

    [Fact]
    public async Task Updating_a_silo_that_is_not_there_is_refused_and_moves_no_version()
    {
        Assert.False(await _table.UpdateRow(Entry(port: 1), "", (await _table.ReadAll()).Version.Next()));

        Assert.Equal(0, (await _table.ReadAll()).Version.Version);
    }

    [Fact]
    public async Task A_row_that_is_not_there_is_read_as_the_version_alone()
    {
        await InsertAsync(Entry(port: 1));

        MembershipTableData data = await _table.ReadRow(Entry(port: 2).SiloAddress);

        Assert.Empty(data.Members);
        Assert.Equal(1, data.Version.Version);
    }

    [Fact]
    public async Task A_sign_of_life_moves_its_time_and_no_version()
    {
        MembershipEntry entry = Entry(port: 1);
        await InsertAsync(entry);
        entry.IAmAliveTime = Time(5);

        await _table.UpdateIAmAlive(entry);

        MembershipTableData data = await _table.ReadAll();
        Assert.Equal(Time(5), Assert.Single(data.Members).Item1.IAmAliveTime);
        Assert.Equal(1, data.Version.Version);
    }

    [Fact]
    public async Task Cleaning_up_removes_old_silos_of_every_status_but_active()
    {
        int port = 0;
        foreach (SiloStatus status in Enum.GetValues<SiloStatus>())
            await InsertAsync(Entry(++port, status, minutes: -1000));
        await InsertAsync(Entry(++port, SiloStatus.Dead));
        int version = (await _table.ReadAll()).Version.Version;

        await _table.CleanupDefunctSiloEntries(new DateTimeOffset(Time(-100)));

        MembershipTableData data = await _table.ReadAll();
        Assert.Equal([SiloStatus.Active, SiloStatus.Dead], data.Members.Select(m => m.Item1.Status).Order());
        Assert.Equal(version, data.Version.Version);
    }

    [Fact]
    public async Task Cleaning_up_removes_the_silo_whose_time_is_one_tick_before_the_bound()
    {
        // So Orleans asks where it wants to keep only the newest of the dead.
        await InsertAsync(Entry(port: 1, SiloStatus.Dead));
        await InsertAsync(Entry(port: 2, SiloStatus.Dead, minutes: 1));

        await _table.CleanupDefunctSiloEntries(new DateTimeOffset(Time().AddTicks(1)));

        Assert.Equal(2, Assert.Single((await _table.ReadAll()).Members).Item1.SiloAddress.Endpoint.Port);
    }

    [Fact]
    public async Task Deleting_a_cluster_leaves_the_others()
    {
        await InsertAsync(Entry(port: 1));
        AdoNetClusteringTable other = Table("other-" + NewName());
        await other.InitializeMembershipTable(tryInitTableVersion: true);
        await other.InsertRow(Entry(port: 1), (await other.ReadAll()).Version.Next());

        await _table.DeleteMembershipTableEntries(_clusterId);
        await _table.InitializeMembershipTable(tryInitTableVersion: true);

        Assert.Empty((await _table.ReadAll()).Members);
        Assert.Single((await other.ReadAll()).Members);
    }

    private AdoNetClusteringTable Table(string clusterId) => new(
        Database.Services,
        Options.Create(new ClusterOptions { ClusterId = clusterId, ServiceId = OrleansDatabase.ServiceId }),
        Options.Create(new AdoNetClusteringSiloOptions { Invariant = OrleansDatabase.Invariant, ConnectionString = Database.ConnectionString }),
        NullLogger<AdoNetClusteringTable>.Instance);

    private static MembershipEntry Entry(int port, SiloStatus status = SiloStatus.Joining, double minutes = 0) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Parse("fe80::1234:5678:9abc:def0"), port, generation: 3),
        Status = status,
        HostName = "host",
        SiloName = $"silo-{port}",
        ProxyPort = 30000,
        StartTime = Time(minutes),
        IAmAliveTime = Time(minutes),
    };

    private async Task<bool> InsertAsync(MembershipEntry entry) => await _table.InsertRow(entry, (await _table.ReadAll()).Version.Next());

    /// <summary>As a silo does: read, try, and again where another one was first.</summary>
    private async Task JoinAsync(MembershipEntry entry)
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            if (await InsertAsync(entry))
                return;
        }
        Assert.Fail($"Silo {entry.SiloName} did not get in within 100 attempts.");
    }
}
