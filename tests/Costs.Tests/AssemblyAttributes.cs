// SQLite's hooks and the garbage collector's counters are one for the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
