// The memory and throughput clauses measure the whole process, and the machine that runs this may have two cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
