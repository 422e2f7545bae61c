using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Figures;

/// <summary>
/// What the load reaches against something that does nothing. A figure near it says what the load can do, not what the server
/// can; each rate is printed with its share of it.
/// </summary>
internal sealed class CeilingFigure : IFigure
{
    public string Id => "load";

    public string What => "the load itself against a no-op endpoint: in process, HTTP, gRPC";

    public async Task RunAsync(BenchHost host)
    {
        await MeasureAsync(host, new NothingTarget(), 256);
        foreach ((Door door, int clients) in ((Door, int)[])[(Door.Http, 64), (Door.Grpc, 16)])
        {
            await using NoopTarget target = await NoopTarget.StartAsync(door, host.Folder);
            await MeasureAsync(host, target, clients);
        }
    }

    private async Task MeasureAsync(BenchHost host, ITarget target, int inFlight)
    {
        CaseResult result = await new CaseRunner(host, Id, target).RunAsync(new LoadCase(new NoopReads(host.Options.Seed), new LoadShape(inFlight)));
        host.Ceilings[target.Name] = result.Median;
    }

    private sealed record NoopReads(int Seed) : StandardWorkload(1_000, 200, Seed)
    {
        public override string Name => "no-op";

        public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Get);

        public override string Unit => "requests/s";

        public override Request Request(long number) => new(RequestKind.Get, AgentInTurn(number));
    }
}
