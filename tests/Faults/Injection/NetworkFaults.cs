using System.Globalization;
using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Injection;

/// <summary>A link is slow: everything that goes over it waits, in both directions.</summary>
internal sealed class SlowNetwork(ProcessSystem system) : Fault("slow-network")
{
    private const int DelayMsMax = 400;

    private TcpProxy? _slow;

    public override Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        (string name, TcpProxy proxy) = Choose(NetworkLinks.Of(system), random);
        int delayMs = random.Next(5, DelayMsMax);
        proxy.Slow(TimeSpan.FromMilliseconds(delayMs));
        _slow = proxy;
        return Task.FromResult(string.Create(CultureInfo.InvariantCulture, $"{name}: {delayMs} ms each way"));
    }

    public override Task HealAsync(CancellationToken cancellationToken)
    {
        Interlocked.Exchange(ref _slow, null)?.Slow(TimeSpan.Zero);
        return Task.CompletedTask;
    }
}

/// <summary>
/// A link is cut in one direction or both, so that nobody is told; or refuses and resets; or loses replies to requests that were
/// delivered. When a cut one heals, what was under way arrives late, or is lost.
/// </summary>
internal sealed class CutNetwork(ProcessSystem system) : Fault("cut-network")
{
    private TcpProxy? _cut;
    private bool _isLost;

    public override Task<string> InjectAsync(Random random, CancellationToken cancellationToken)
    {
        (string name, TcpProxy proxy) = Choose(NetworkLinks.Of(system), random);
        string done = Break(proxy, random);
        _isLost = random.Next(2) == 0;
        _cut = proxy;
        return Task.FromResult($"{name}: {done}");
    }

    public override Task HealAsync(CancellationToken cancellationToken)
    {
        Interlocked.Exchange(ref _cut, null)?.Heal(_isLost);
        return Task.CompletedTask;
    }

    private static string Break(TcpProxy proxy, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                proxy.Cut(Direction.Requests);
                return "requests do not arrive";
            case 1:
                proxy.Cut(Direction.Replies);
                return "replies do not arrive";
            case 2:
                proxy.Cut(Direction.Both);
                return "nothing arrives";
            case 3:
                proxy.Refuse();
                return "connections are reset and refused";
            case 4:
                proxy.ResetConnections();
                return "connections are reset";
            default:
                double share = 0.05 + 0.3 * random.NextDouble();
                proxy.LoseReplies(share, new Random(random.Next()));
                return string.Create(CultureInfo.InvariantCulture, $"{share:P0} of the replies are lost");
        }
    }
}

internal static class NetworkLinks
{
    /// <summary>All links of a system, named by what they lead to.</summary>
    public static IReadOnlyList<(string Name, TcpProxy Proxy)> Of(ProcessSystem system) =>
        [.. from server in system.Servers
            from link in server.Links
            select ($"{link.Name} {server.Name}", link.Proxy)];
}
