namespace Statehouse.Faults.Workloads;

/// <summary>All workloads, by name.</summary>
public static class WorkloadCatalog
{
    private static readonly IReadOnlyDictionary<string, Func<WorkloadOptions, IWorkload>> Makers = new Dictionary<string, Func<WorkloadOptions, IWorkload>>
    {
        ["registers"] = options => new RegistersWorkload(options),
        ["counters"] = options => new CountersWorkload(options),
        ["bank"] = options => new BankWorkload(options),
        ["append"] = options => new AppendWorkload(options),
        ["sets"] = options => new SetsWorkload(options),
        ["transactions"] = options => new TransactionsWorkload(options),
        ["retries"] = options => new RetriesWorkload(options),
        ["followers"] = options => new FollowersWorkload(options),
        ["feed-readers"] = options => new FeedReadersWorkload(options),
    };

    public static IReadOnlyList<string> Names => [.. Makers.Keys];

    /// <summary>One of each, for one run.</summary>
    public static IReadOnlyList<IWorkload> All(WorkloadOptions options) => [.. Names.Select(name => Create(name, options))];

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="options">Of the run.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static IWorkload Create(string name, WorkloadOptions options) =>
        Makers.TryGetValue(name, out Func<WorkloadOptions, IWorkload>? make)
            ? make(options)
            : throw new ArgumentException($"There is no workload {name}; there are {string.Join(", ", Names)}.", nameof(name));
}
