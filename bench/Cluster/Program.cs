using System.CommandLine;
using System.Net;
using Statehouse.Bench.Commands;
using Statehouse.Bench.Cluster;

var agents = new Option<int>("--agents") { Description = "agents, in turn", DefaultValueFactory = _ => 10_000 };
var seconds = new Option<double>("--seconds") { Description = "measured time of one run", DefaultValueFactory = _ => 5 };
var valueBytes = new Option<int>("--value-bytes") { Description = "bytes of each value", DefaultValueFactory = _ => 200 };
var gateways = new Option<string[]>("--gateway") { Description = "HTTP address of a gateway, ADDR:PORT; repeat it for more", Required = true };
var connections = new Option<int>("--connections") { Description = "each sends one request at a time", DefaultValueFactory = _ => 64 };

var postgres = new Option<string>("--postgres") { Description = "connection string; the database is written to", Required = true };
var commits = new Command("commits", "Durable one-key commits on agents that are grains of one silo, called inside of it.") { postgres };
var load = new CommitsCommand();
load.AddTo(commits);
commits.SetAction(parsed => OneSilo.RunAsync(parsed.GetValue(postgres)!, load.Of(parsed), Console.Out));

var drive = new Command("drive", "Writes over HTTP through gateways of a running cluster, then reads back whether each acknowledged commit is there once.")
{
    gateways, agents, connections, seconds, valueBytes,
};
drive.SetAction(async parsed =>
{
    ClusterDriveOutcome outcome = await new ClusterDrive(new ClusterDriveOptions(
        Addresses(parsed.GetValue(gateways)!), parsed.GetValue(agents), parsed.GetValue(connections),
        TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(valueBytes))).RunAsync(Console.Out);
    return outcome.IsRight ? 0 : 1;
});

var silos = new Option<string[]>("--silo") { Description = "HTTP address of a silo, ADDR:PORT; repeat it for each", Required = true };
var spread = new Command("spread", "Touches agents through gateways and counts how many each silo then has in memory.")
{
    gateways, silos, agents, connections,
};
spread.SetAction(parsed => new ClusterSpread(
    Addresses(parsed.GetValue(gateways)!), Addresses(parsed.GetValue(silos)!), parsed.GetValue(agents), parsed.GetValue(connections)).RunAsync(Console.Out));

return await new RootCommand("Measures agents in a cluster.") { commits, drive, spread }.Parse(args).InvokeAsync();

static IReadOnlyList<IPEndPoint> Addresses(string[] texts) =>
    [.. texts.Select(text => IPEndPoint.Parse(text.Replace("http://", "", StringComparison.Ordinal).TrimEnd('/')))];
