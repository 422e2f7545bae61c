using System.CommandLine;
using System.Net;
using Statehouse.Bench.Executions;

var server = new Option<string>("--server") { Description = "HTTP address of a server or gateway, ADDR:PORT", DefaultValueFactory = _ => "127.0.0.1:8080" };
var connections = new Option<int>("--connections") { Description = "each sends one request at a time", DefaultValueFactory = _ => 64 };
var seconds = new Option<double>("--seconds") { Description = "measured time of one run", DefaultValueFactory = _ => 10 };
var runs = new Option<int>("--runs") { Description = "measured runs, after one warm-up", DefaultValueFactory = _ => 3 };
var stateBytes = new Option<int>("--state-bytes") { Description = "bytes of each state", DefaultValueFactory = _ => 1024 };
var checkpoints = new Command("checkpoints", "Durable checkpoints over HTTP, each connection on a run of its own.") { server, connections, seconds, runs, stateBytes };
checkpoints.SetAction(parsed => new Measures(Load(parsed.GetValue(server)!)).CheckpointsAsync(
    parsed.GetValue(connections), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(runs), parsed.GetValue(stateBytes), Console.Out));

var steps = new Option<int>("--steps") { Description = "checkpoints of one run", DefaultValueFactory = _ => 10_000 };
var load = new Command("load", "Loads the latest state of one long run.") { server, steps, stateBytes };
load.SetAction(parsed => new Measures(Load(parsed.GetValue(server)!)).LoadAsync(parsed.GetValue(steps), parsed.GetValue(stateBytes), Console.Out));

var executions = new Option<int>("--executions") { Description = "how many there are", DefaultValueFactory = _ => 100_000 };
var query = new Command("query", "Creates executions and asks for first pages of them.") { server, executions, connections };
query.SetAction(parsed => new Measures(Load(parsed.GetValue(server)!)).QueryAsync(parsed.GetValue(executions), parsed.GetValue(connections), Console.Out));

var orphans = new Option<int>("--executions") { Description = "how many are orphaned", DefaultValueFactory = _ => 1_000 };
var workers = new Option<int>("--workers") { Description = "claim at once", DefaultValueFactory = _ => 8 };
var claim = new Command("claim", "Orphans executions and lets workers claim them.") { server, orphans, workers };
claim.SetAction(parsed => new Measures(Load(parsed.GetValue(server)!)).ClaimAsync(parsed.GetValue(orphans), parsed.GetValue(workers), Console.Out));

var files = new Option<string>("--files") { Description = "the server's data directory, whose files are measured", Required = true };
var large = new Option<int>("--state-bytes") { Description = "bytes of the state", DefaultValueFactory = _ => 1_000_000 };
var bytesSteps = new Option<int>("--steps") { Description = "checkpoints", DefaultValueFactory = _ => 500 };
var changed = new Option<int>("--changed-bytes") { Description = "bytes that change per step", DefaultValueFactory = _ => 200 };
var bytes = new Command("bytes", "Bytes on disk that one step of a large state costs.") { server, files, large, bytesSteps, changed };
bytes.SetAction(parsed => new Measures(Load(parsed.GetValue(server)!)).BytesAsync(
    parsed.GetValue(files)!, parsed.GetValue(large), parsed.GetValue(bytesSteps), parsed.GetValue(changed), Console.Out));

return await new RootCommand("Measures executions on a running server.") { checkpoints, load, query, claim, bytes }.Parse(args).InvokeAsync();

static ExecutionLoad Load(string server) => new(IPEndPoint.Parse(server));
