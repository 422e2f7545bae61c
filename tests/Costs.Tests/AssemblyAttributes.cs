using Statehouse.Costs.Tests.Postgres;

// SQLite's hooks, the garbage collector's counters and the server's are one for the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(QuietCluster))]
