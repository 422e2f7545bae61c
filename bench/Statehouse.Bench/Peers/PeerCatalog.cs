using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Peers;

/// <summary>Who takes part in the comparison.</summary>
/// <param name="Id">For <c>--peers</c>; null for Statehouse itself, which always takes part.</param>
/// <param name="StartAsync">Starts it empty.</param>
internal sealed record Contestant(string? Id, Func<BenchHost, PeerHost, Task<ITarget>> StartAsync)
{
    public bool IsStatehouse => Id is null;
}

/// <summary>What peers of one run share.</summary>
internal sealed class PeerHost(BenchHost host)
{
    private Task<NodePackages>? _packages;

    /// <exception cref="MissingHere">There is no Node here, or the packages cannot be had.</exception>
    public Task<NodePackages> PackagesAsync() => _packages ??= NodePackages.InstallAsync(host.Folder, host.Results);
}

/// <summary>Statehouse through its doors, and every peer.</summary>
internal static class PeerCatalog
{
    public static IReadOnlyList<Contestant> All { get; } =
    [
        new(null, async (host, _) => await ServerTarget.StartAsync(await host.NewPlaceAsync(JournalKind.Sqlite), Door.Http)),
        new(null, async (host, _) => await ServerTarget.StartAsync(await host.NewPlaceAsync(JournalKind.Postgres), Door.Http)),
        new(null, async (host, _) => await InProcessTarget.OpenAsync(await host.NewPlaceAsync(JournalKind.Sqlite))),
        new(null, async (host, _) => await InProcessTarget.OpenAsync(await host.NewPlaceAsync(JournalKind.Postgres))),
        new("upsert", async (host, _) => await PostgresPeer.StartAsync(host, keepsJournal: false)),
        new("journal", async (host, _) => await PostgresPeer.StartAsync(host, keepsJournal: true)),
        new("redis", async (host, _) => await RedisTarget.StartAsync(host)),
        new("restate", async (host, peers) => await RestateTarget.StartAsync(host, await peers.PackagesAsync())),
        new("langgraph", async (host, peers) => await LangGraphTarget.StartAsync(host, await peers.PackagesAsync())),
    ];

    public static IReadOnlyList<string> Ids { get; } = [.. All.Select(each => each.Id).OfType<string>()];
}
