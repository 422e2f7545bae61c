using Statehouse.Faults.Cluster;
using Statehouse.Faults.Runs;

// silo: a process of the cluster with faults built in, for the harness to start. run: the harness with the cluster added.
return args switch
{
    ["silo", .. string[] rest] => await FaultySilo.RunAsync(rest),
    ["run", .. string[] rest] => await RunCommand.RunAsync(rest, new ClusterCatalog()),
    ["check", .. string[] rest] => await RunCommand.CheckAsync(rest),
    _ => RunCommand.Usage(Console.Error),
};
