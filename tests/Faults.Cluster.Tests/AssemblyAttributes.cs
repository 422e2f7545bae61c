// Each test runs a cluster of processes, which mostly wait: for kills, leases, members that are gone. Two at once, of which the
// timed run is one for most of the time; more would take each other's processors, and with them their time.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
