using System.CommandLine;
using Statehouse.Bench;
using Statehouse.Bench.Cluster;

// Durable single-key commits on agents that are grains of one silo, called inside of it: what the grains cost.
var postgres = new Option<string>("--postgres") { Description = "connection string; the database is written to", Required = true };
var agents = new Option<int>("--agents") { Description = "agents written, in turn", DefaultValueFactory = _ => 10_000 };
var inFlight = new Option<int>("--in-flight") { Description = "commits waiting at once", DefaultValueFactory = _ => 256 };
var seconds = new Option<double>("--seconds") { Description = "measured time of one run", DefaultValueFactory = _ => 5 };
var runs = new Option<int>("--runs") { Description = "measured runs, after one warm-up", DefaultValueFactory = _ => 3 };
var valueBytes = new Option<int>("--value-bytes") { Description = "bytes of each value", DefaultValueFactory = _ => 200 };

var root = new RootCommand("Measures durable commits on one silo, in process: commits per second and latency, median of several runs.")
{
    postgres, agents, inFlight, seconds, runs, valueBytes,
};
root.SetAction(parsed => OneSilo.RunAsync(parsed.GetValue(postgres)!, new CommitLoadOptions(
    parsed.GetValue(agents), parsed.GetValue(inFlight), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(runs),
    parsed.GetValue(valueBytes)), Console.Out));
return await root.Parse(args).InvokeAsync();
