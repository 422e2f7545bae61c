// Each test runs a cluster of processes; two at once would take each other's processors, and with them their time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
