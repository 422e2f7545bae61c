using Statehouse.Faults.Tests;

// Most of what these tests take is waiting for processes that start, are stopped or killed. Four at once, of which the two
// timed runs are a part for most of the time; more would take each other's processors, and with them their time.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
