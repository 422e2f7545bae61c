using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Configuration;
using Statehouse.Agents;
using Statehouse.Grains;
using Statehouse.Journal;

// Usage: orleans-client [AGENT], with STATEHOUSE_POSTGRES, and STATEHOUSE_CLUSTER_ID and STATEHOUSE_SERVICE_ID where
// they are not "statehouse".
string? postgres = Environment.GetEnvironmentVariable("STATEHOUSE_POSTGRES");
if (args.Length > 1 || postgres is null)
{
    Console.Error.WriteLine("usage: STATEHOUSE_POSTGRES=… orleans-client [AGENT]");
    return 2;
}
string name = args.Length > 0 ? args[0] : "ada";

// 1. A cluster client finds the silos where they find each other: in the database.
HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.UseOrleansClient(client =>
{
    client.Configure<ClusterOptions>(options =>
    {
        options.ClusterId = Environment.GetEnvironmentVariable("STATEHOUSE_CLUSTER_ID") ?? "statehouse";
        options.ServiceId = Environment.GetEnvironmentVariable("STATEHOUSE_SERVICE_ID") ?? "statehouse";
    });
    client.UseAdoNetClustering(options =>
    {
        options.Invariant = "Npgsql";
        options.ConnectionString = new NpgsqlConnectionStringBuilder(postgres) { SearchPath = "statehouse_orleans" }.ConnectionString;
    });
    // Teaches Orleans the contract's records and exceptions.
    client.Services.AddStatehouseSerialization();
});
using IHost host = builder.Build();
await host.StartAsync();
IClusterClient cluster = host.Services.GetRequiredService<IClusterClient>();

// 2. An agent is a grain; it needs not be created.
IAgentStateGrain agent = cluster.GetGrain<IAgentStateGrain>(AgentGrainKey.Of(new AgentId("default", name)));

// 3. Write with a precondition, and say what happens when another writer was first.
var visits = new Key("visits");
CommitReceipt receipt;
while (true)
{
    KeyState before = await agent.GetAsync(new GetRequest(visits), default);
    long count = before.Exists ? long.Parse(Encoding.UTF8.GetString(before.Value.Utf8)) : 0;
    JsonText next = JsonText.Parse("value", Encoding.UTF8.GetBytes($"{count + 1}"), depthMax: 64);
    try
    {
        receipt = await agent.CommitAsync(
            new CommitRequest([new Operation(OperationKind.Put, visits, next, IfVersion: before.Version)])
            {
                // A repeat of this call, for instance after a lost reply, commits once.
                IdempotencyKey = $"visit-{Guid.NewGuid()}",
            },
            default);
        break;
    }
    catch (StateConflictException conflict)
    {
        // Somebody else wrote between the read and the commit: read again.
        Console.WriteLine(conflict.Message);
    }
}
Console.WriteLine($"{name}: version {receipt.Version}, commit_ts {receipt.CommitTs}, hash {receipt.Hash}");

// 4. Read it back, and its history.
KeyState state = await agent.GetAsync(new GetRequest(visits), default);
Console.WriteLine($"visits = {state.Value} (key version {state.Version})");
await foreach (JournalCommit commit in agent.ReplayAsync(AgentVersion.None, follow: false, default))
    Console.WriteLine($"  {commit.Version}: {Encoding.UTF8.GetString(commit.Body.Span)}");

await host.StopAsync();
return 0;
