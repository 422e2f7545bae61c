// Each of these tests has a server to itself and measures what load does to it: side by side they would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
