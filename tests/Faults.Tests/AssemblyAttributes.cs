// Each test runs processes that are killed and waited for; two at once would take each other's processors, and with them their time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
