using System.Collections.Concurrent;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Some clients read the feed of everybody's commits from its start on, in pages of all sizes and as streams that break off, and go on behind
/// what they saw, also on another server; the others write several agents at once. Every position that was told stays one; what readers
/// were shown is for the rule <see cref="Rule.Feed"/>.
/// </summary>
public sealed class FeedReadersWorkload(WorkloadOptions options) : Workload("feed-readers", options)
{
    /// <summary>What a reader saw is the whole feed, and kept until the end: more readers would cost more than they find.</summary>
    private const int LastReadingSeat = 4;

    private const int AgentCount = 4;
    private const int StreamEvery = 8;
    private const int WriteEvery = 4;
    private const int ReconnectEvery = 5;

    private static readonly int[] PageSizes = [1, 2, 7, 50, 300, 1000];
    private static readonly TimeSpan PageBound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StreamMax = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentQueue<string> _refused = new();

    public override IEnumerable<Violation> Check(RunEvidence evidence) => [.. _refused.Select(refused => Broken(refused))];

    protected override Task RunAsync(WorkloadClient client) =>
        client.Seat <= LastReadingSeat && client.Store is IFeedClient ? ReadAsync(client) : WriteAsync(client);

    private async Task WriteAsync(WorkloadClient client)
    {
        while (client.IsRunning)
            await WriteOnceAsync(client);
    }

    private async Task WriteOnceAsync(WorkloadClient client)
    {
        int generation = NextStep();
        int first = client.Random.Next(AgentCount);
        Share[] shares =
        [
            .. from i in Enumerable.Range(0, client.Random.Next(1, AgentCount))
               let agent = Agent(generation, $"a{(first + i) % AgentCount}")
               select new Share(agent, [new Write($"k{client.Random.Next(3)}", Values.Of(client.Random, client.Token()))]),
        ];
        await client.CallAsync(new CommitCall(shares));
    }

    private async Task ReadAsync(WorkloadClient client)
    {
        string reader = $"feed reader {client.Seat}";
        string position = "0";
        while (client.IsRunning)
        {
            if (client.Random.Next(WriteEvery) == 0)
                await WriteOnceAsync(client);
            position = client.Random.Next(StreamEvery) == 0
                ? await FollowAsync(client, reader, position)
                : await PageAsync(client, reader, position);
            if (client.Random.Next(ReconnectEvery) == 0)
                await client.ReconnectAsync();
        }
    }

    /// <returns>Where to go on.</returns>
    private async Task<string> PageAsync(WorkloadClient client, string reader, string after)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(client.Ended);
        bound.CancelAfter(PageBound);
        int limit = PageSizes[client.Random.Next(PageSizes.Length)];
        FeedReply page = await ((IFeedClient)client.Store).ReadFeedAsync(after, limit, bound.Token);
        if (page.Through is { } through)
        {
            client.SawFeed(new FeedStretch(reader, after, through, page.Entries, client.Now));
            if (!page.HasMore)
                await client.WaitAsync(Rest);
            return through;
        }
        if (page.Code?.StartsWith("SH-1", StringComparison.Ordinal) ?? false)
            _refused.Enqueue($"{reader} had been told the position {after}, which was then refused with {page.Code}");
        await client.WaitAsync(Rest * 5);
        await client.ReconnectAsync();
        return after;
    }

    private async Task<string> FollowAsync(WorkloadClient client, string reader, string after)
    {
        using var stretch = CancellationTokenSource.CreateLinkedTokenSource(client.Ended);
        stretch.CancelAfter(StreamMax * client.Random.NextDouble());
        string through = after;
        var entries = new List<FeedEntry>();
        await foreach ((string position, FeedEntry entry) in ((IFeedClient)client.Store).FollowFeedAsync(after, stretch.Token))
        {
            through = position;
            entries.Add(entry);
        }
        if (entries.Count > 0)
            client.SawFeed(new FeedStretch(reader, after, through, entries, client.Now));
        await client.ReconnectAsync();
        return through;
    }
}
