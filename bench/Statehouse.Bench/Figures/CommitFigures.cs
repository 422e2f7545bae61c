using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Figures;

/// <summary>Figures that are rates of requests: a target, and cases on it.</summary>
internal static class CommitFigures
{
    private const int Small = 200;

    /// <summary>A value as small as a status, as the figures of other stores over gRPC have it.</summary>
    private const int Tiny = 24;

    public static readonly IFigure F1 = new RateFigure(
        "F1", "durable one-key commits in process on PostgreSQL; 256, 64, 16 and 1 in flight",
        host => InFlight(host, JournalKind.Postgres, Goal.AtLeast(80_000)));

    public static readonly IFigure F2 = new RateFigure(
        "F2", "one hot agent in process on PostgreSQL; 16, 256, 64 and 1 in flight",
        async host =>
        {
            await using InProcessTarget target = await InProcessTarget.OpenAsync(await host.NewPlaceAsync(JournalKind.Postgres));
            var puts = new Puts(1, Small, host.Options.Seed);
            await new CaseRunner(host, "F2", target).RunAllAsync(
                [new(puts, new(16), Goal.AtLeast(20_000)), new(puts, new(256), Goal.AtLeast(60_000)), .. Full(host, () => [new(puts, new(64)), new(puts, new(1))])]);
        });

    public static readonly IFigure F3 = new RateFigure(
        "F3", "durable one-key commits in process on SQLite; 256, 64, 16 and 1 in flight",
        host => InFlight(host, JournalKind.Sqlite, Goal.AtLeast(35_000)));

    public static readonly IFigure F4 = new RateFigure(
        "F4", "durable one-key commits over HTTP; 64, 1, 16 and 256 connections on SQLite, 64 on PostgreSQL",
        async host =>
        {
            var puts = new Puts(host.Scaled(10_000, 500), Small, host.Options.Seed);
            await OnServerAsync(host, "F4", JournalKind.Sqlite, Door.Http,
                [new(puts, new(64), Goal.AtLeast(20_000)), .. Full(host, () => [new(puts, new(1)), new(puts, new(16)), new(puts, new(256))])]);
            await OnServerAsync(host, "F4", JournalKind.Postgres, Door.Http, [new(puts, new(64))]);
        });

    public static readonly IFigure F5 = new RateFigure(
        "F5", "begin, write and commit over gRPC; 16, 1 and 64 clients",
        host =>
        {
            var transactions = new Transactions(host.Scaled(1_000, 100), Tiny, host.Options.Seed);
            return OnServerAsync(host, "F5", JournalKind.Sqlite, Door.Grpc,
                [new(transactions, new(16), Goal.AtLeast(10_000)), .. Full(host, () => [new(transactions, new(1)), new(transactions, new(64))])]);
        });

    public static readonly IFigure F6 = new RateFigure(
        "F6", "reads over gRPC; 16, 1 and 64 clients",
        host =>
        {
            var gets = new GrpcGets(host.Scaled(1_000, 100), Tiny, host.Options.Seed);
            return OnServerAsync(host, "F6", JournalKind.Sqlite, Door.Grpc,
                [new(gets, new(16), Goal.AtLeast(60_000)), .. Full(host, () => [new(gets.Prepared, new(1)), new(gets.Prepared, new(64))])]);
        });

    public static readonly IFigure Agents = new RateFigure(
        "agents", "commits over HTTP on 1, 100 and 10,000 agents, 64 connections",
        host => OnServerAsync(host, "agents", JournalKind.Sqlite, Door.Http,
            [.. ((int[])[1, 100, host.Scaled(10_000, 500)]).Select(agents => new LoadCase(new Puts(agents, Small, host.Options.Seed), new(64)))]));

    public static readonly IFigure Sizes = new RateFigure(
        "values", "commits of 200 B, 4 KB and 100 KB over HTTP and in process, 64 in flight",
        async host =>
        {
            LoadCase[] cases = [.. ((int[])[200, 4_000, 100_000]).Select(bytes => new LoadCase(new Puts(100, bytes, host.Options.Seed), new(64)))];
            await OnServerAsync(host, "values", JournalKind.Sqlite, Door.Http, cases);
            foreach (JournalKind kind in host.Options.IsQuick ? [JournalKind.Sqlite] : Enum.GetValues<JournalKind>())
            {
                await using InProcessTarget target = await InProcessTarget.OpenAsync(await host.NewPlaceAsync(kind));
                await new CaseRunner(host, "values", target).RunAllAsync(cases);
            }
        });

    public static readonly IFigure Mixed = new RateFigure(
        "mixed", "nine reads to one commit over HTTP and in process, 64 in flight",
        async host =>
        {
            var mixed = new Mixed(host.Scaled(10_000, 500), Small, host.Options.Seed);
            await OnServerAsync(host, "mixed", JournalKind.Sqlite, Door.Http, [new(mixed, new(64))]);
            await using InProcessTarget target = await InProcessTarget.OpenAsync(await host.NewPlaceAsync(JournalKind.Sqlite));
            await new CaseRunner(host, "mixed", target).RunAllAsync([new(mixed, new(64))]);
        });

    public static readonly IFigure Scans = new RateFigure(
        "scans", "pages of 100 keys over HTTP and in process, 16 in flight",
        async host =>
        {
            var scans = new Scans(100, host.Scaled(10_000, 200), 100, Small, host.Options.Seed);
            await OnServerAsync(host, "scans", JournalKind.Sqlite, Door.Http, [new(scans, new(16))]);
            await using InProcessTarget target = await InProcessTarget.OpenAsync(await host.NewPlaceAsync(JournalKind.Sqlite));
            await new CaseRunner(host, "scans", target).RunAllAsync([new(scans, new(16))]);
        });

    public static readonly IFigure Transactions = new RateFigure(
        "transactions", "10 operations at once, on one agent and on ten, over HTTP, 64 in flight",
        async host =>
        {
            int agents = host.Scaled(10_000, 1_000);
            LoadCase[] cases =
            [
                new(new Tens(RequestKind.PutMany, agents, Small, host.Options.Seed), new(64)),
                new(new Tens(RequestKind.PutTogether, agents, Small, host.Options.Seed), new(64)),
            ];
            await OnServerAsync(host, "transactions", JournalKind.Sqlite, Door.Http, cases);
            if (!host.Options.IsQuick)
                await OnServerAsync(host, "transactions", JournalKind.Postgres, Door.Http, cases);
        });

    public static readonly IFigure OpenLoop = new RateFigure(
        "open", "commits over HTTP at 25, 50 and 75 % of what 64 connections reach; latency from when each was due",
        async host =>
        {
            await using ServerTarget target = await ServerTarget.StartAsync(await host.NewPlaceAsync(JournalKind.Sqlite), Door.Http);
            var puts = new Puts(host.Scaled(10_000, 500), Small, host.Options.Seed);
            var runner = new CaseRunner(host, "open", target);
            double most = (await runner.RunAsync(new LoadCase(puts, new(64)))).Median;
            await runner.RunAllAsync([.. ((double[])[0.25, 0.5, 0.75]).Select(share => new LoadCase(puts, new(256, most * share))
            {
                Name = $"{target.Name}, open loop at {share:p0} of the closed loop's rate, at most 256 in flight, {puts.Name}",
            })]);
        });

    private static async Task InFlight(BenchHost host, JournalKind kind, Goal goal)
    {
        await using InProcessTarget target = await InProcessTarget.OpenAsync(await host.NewPlaceAsync(kind));
        var puts = new Puts(host.Scaled(10_000, 500), Small, host.Options.Seed);
        await new CaseRunner(host, kind == JournalKind.Postgres ? "F1" : "F3", target).RunAllAsync(
            [new(puts, new(256), goal), .. Full(host, () => [new(puts, new(64)), new(puts, new(16)), new(puts, new(1)), new(new Puts(100, Small, host.Options.Seed), new(256))])]);
    }

    private static async Task OnServerAsync(BenchHost host, string figure, JournalKind kind, Door door, LoadCase[] cases)
    {
        await using ServerTarget target = await ServerTarget.StartAsync(await host.NewPlaceAsync(kind), door);
        await new CaseRunner(host, figure, target).RunAllAsync(cases);
    }

    /// <summary>What a quick run leaves out.</summary>
    private static IEnumerable<LoadCase> Full(BenchHost host, Func<LoadCase[]> cases) => host.Options.IsQuick ? [] : cases();

    private sealed class RateFigure(string id, string what, Func<BenchHost, Task> run) : IFigure
    {
        public string Id => id;

        public string What => what;

        public Task RunAsync(BenchHost host) => run(host);
    }
}
