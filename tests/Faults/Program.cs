using Statehouse.Faults.Runs;
using Statehouse.Faults.Serving;

// serve: the single-node server with faults built in, for the harness to start. run: the harness itself.
return args switch
{
    ["serve", .. string[] rest] => await FaultyServer.RunAsync(rest),
    ["run", .. string[] rest] => await RunCommand.RunAsync(rest, new SystemCatalog()),
    ["check", .. string[] rest] => await RunCommand.CheckAsync(rest),
    _ => RunCommand.Usage(Console.Error),
};
