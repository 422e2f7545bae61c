namespace Statehouse.Faults.Runs;

/// <summary>One line of a schedule.</summary>
/// <param name="Number">1, 2, 3, … by <paramref name="At"/>.</param>
/// <param name="At">Since the first fault could come.</param>
/// <param name="Fault">Its name.</param>
/// <param name="Lasts">Until it is undone.</param>
/// <param name="Seed">Chooses the victim and the size.</param>
public sealed record PlannedFault(int Number, TimeSpan At, string Fault, TimeSpan Lasts, int Seed);

/// <summary>A kind of fault as a schedule knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Least">The shortest that it lasts.</param>
/// <param name="Most">The longest.</param>
public sealed record FaultKind(string Name, TimeSpan Least, TimeSpan Most);

/// <summary>
/// Which fault comes when: a function of the seed, the duration and the kinds, and of nothing else. Mostly one after the other
/// with a pause to recover in; now and then a second one while the first lasts, or several in quick succession.
/// </summary>
public static class FaultSchedule
{
    private const double OverlapShare = 0.25;
    private const double BurstShare = 0.15;

    /// <summary>The end of a run is left without new faults, so that it also shows whether everything recovers.</summary>
    private static readonly TimeSpan CalmEnd = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan PauseLeast = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseMost = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan BurstLasts = TimeSpan.FromSeconds(1.5);

    /// <param name="seed">Of the run.</param>
    /// <param name="duration">How long clients work.</param>
    /// <param name="kinds">Which faults there are; their order does not matter.</param>
    public static IReadOnlyList<PlannedFault> Make(int seed, TimeSpan duration, IEnumerable<FaultKind> kinds)
    {
        var random = new Random(Seeds.For(seed, "schedule"));
        var deck = new Deck([.. kinds.OrderBy(kind => kind.Name, StringComparer.Ordinal)], random);
        if (deck.IsEmpty)
            return [];
        List<PlannedFault> planned = [];
        TimeSpan now = TimeSpan.FromSeconds(2);
        while (now < duration - CalmEnd)
        {
            double style = random.NextDouble();
            TimeSpan end = style < BurstShare ? Burst(now) : style < BurstShare + OverlapShare ? Overlap(now) : Add(deck.Draw(), now, TimeSpan.MaxValue);
            now = end + Between(PauseLeast, PauseMost);
        }
        return [.. planned.Where(fault => fault.At < duration - CalmEnd).OrderBy(fault => fault.At).Select((fault, i) => fault with { Number = i + 1 })];

        // Each returns when the last of what it adds is over.
        TimeSpan Add(FaultKind kind, TimeSpan at, TimeSpan lastsMost)
        {
            TimeSpan most = kind.Most < lastsMost ? kind.Most : lastsMost;
            TimeSpan lasts = Between(kind.Least < most ? kind.Least : most, most);
            planned.Add(new PlannedFault(0, at, kind.Name, lasts, random.Next()));
            return at + lasts;
        }

        TimeSpan Overlap(TimeSpan at)
        {
            FaultKind first = deck.Draw();
            TimeSpan firstEnd = Add(first, at, TimeSpan.MaxValue);
            // Another kind: a fault that lasts cannot come a second time.
            FaultKind second = deck.DrawOther(first);
            TimeSpan secondEnd = Add(second, at + (firstEnd - at) * (0.1 + 0.8 * random.NextDouble()), TimeSpan.MaxValue);
            return firstEnd > secondEnd ? firstEnd : secondEnd;
        }

        TimeSpan Burst(TimeSpan at)
        {
            for (int left = random.Next(3, 6); left > 0; left--)
                at = Add(deck.Draw(), at, BurstLasts) + TimeSpan.FromMilliseconds(random.Next(50, 600));
            return at;
        }

        TimeSpan Between(TimeSpan least, TimeSpan most) => TimeSpan.FromMilliseconds(Math.Round((least + (most - least) * random.NextDouble()).TotalMilliseconds));
    }

    /// <summary>Every kind comes up before one comes again.</summary>
    private sealed class Deck(FaultKind[] kinds, Random random)
    {
        private readonly Queue<FaultKind> _left = new();

        public bool IsEmpty => kinds.Length == 0;

        public FaultKind Draw()
        {
            if (_left.Count == 0)
            {
                FaultKind[] shuffled = [.. kinds];
                random.Shuffle(shuffled);
                foreach (FaultKind kind in shuffled)
                    _left.Enqueue(kind);
            }
            return _left.Dequeue();
        }

        /// <summary>Not this one, where there is another.</summary>
        public FaultKind DrawOther(FaultKind than)
        {
            FaultKind drawn = Draw();
            return drawn == than && kinds.Length > 1 ? DrawOther(than) : drawn;
        }
    }
}
