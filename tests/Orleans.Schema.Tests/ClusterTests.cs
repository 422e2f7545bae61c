using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Statehouse.OrleansTables.Tests;

/// <summary>Silos and a client that know nothing but the database.</summary>
public sealed class ClusterTests(OrleansDatabase database) : ProviderTest(database)
{
    [Fact]
    public async Task A_client_finds_the_gateway_and_a_grain_keeps_its_state_across_activations()
    {
        IHost client = await Database.StartClientAsync();
        ICounterGrain counter = Counter(client.Services);

        Assert.Equal(1, await counter.IncrementAsync());
        Assert.Equal(2, await counter.IncrementAsync());
        await counter.LeaveAsync();
        Assert.Equal(2, await counter.ReadAsync());
        await counter.ClearAsync();
        await counter.LeaveAsync();
        Assert.Equal(1, await counter.IncrementAsync());

        await OrleansDatabase.StopAsync(client);
    }

    [Fact]
    public async Task A_grain_registers_finds_and_unregisters_reminders()
    {
        ICounterGrain counter = Counter(Database.Services);

        await counter.RegisterAsync("wake", TimeSpan.FromHours(1));
        await counter.RegisterAsync("sleep", TimeSpan.FromHours(1));
        await counter.RegisterAsync("wake", TimeSpan.FromHours(2));
        Assert.Equal(["sleep", "wake"], await counter.RemindersAsync());

        Assert.True(await counter.UnregisterAsync("wake"));
        Assert.False(await counter.UnregisterAsync("wake"));
        Assert.Equal(["sleep"], await counter.RemindersAsync());
    }

    [Fact]
    public async Task A_second_silo_joins_through_the_table_and_is_dead_in_it_when_it_left()
    {
        IHost second = await Database.StartSiloAsync();
        SiloAddress address = second.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var management = Database.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
        Assert.Equal(SiloStatus.Active, (await management.GetHosts())[address]);

        await OrleansDatabase.StopAsync(second);

        var table = Database.Services.GetRequiredService<IMembershipTable>();
        Assert.Equal(SiloStatus.Dead, Assert.Single((await table.ReadRow(address)).Members).Item1.Status);
    }

    private static ICounterGrain Counter(IServiceProvider services) =>
        services.GetRequiredService<IGrainFactory>().GetGrain<ICounterGrain>(NewName());
}
