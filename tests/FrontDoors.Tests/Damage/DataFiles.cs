namespace Statehouse.FrontDoors.Tests.Damage;

/// <summary>The files of a data directory, held in memory, from which damaged copies are made.</summary>
/// <param name="Main">journal.db.</param>
/// <param name="Wal">journal.db-wal; null = there is none.</param>
internal sealed record DataFiles(byte[] Main, byte[]? Wal)
{
    private const int PageBytes = 4096;

    public static async Task<DataFiles> ReadAsync(string folder)
    {
        string wal = Path.Combine(folder, "journal.db-wal");
        return new DataFiles(
            await File.ReadAllBytesAsync(Path.Combine(folder, "journal.db"), TestContext.Current.CancellationToken),
            File.Exists(wal) ? await File.ReadAllBytesAsync(wal, TestContext.Current.CancellationToken) : null);
    }

    public async Task WriteAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllBytesAsync(Path.Combine(folder, "journal.db"), Main, TestContext.Current.CancellationToken);
        if (Wal is not null)
            await File.WriteAllBytesAsync(Path.Combine(folder, "journal.db-wal"), Wal, TestContext.Current.CancellationToken);
    }

    public DataFiles WithMainFlipped(Random random) => this with { Main = Flipped(random, Main) };

    public DataFiles WithWalFlipped(Random random) => this with { Wal = Flipped(random, Wal!) };

    public DataFiles WithMainPageZeroed(Random random)
    {
        byte[] main = [.. Main];
        main.AsSpan(PageBytes * random.Next(main.Length / PageBytes), PageBytes).Clear();
        return this with { Main = main };
    }

    public DataFiles WithMainCut(Random random) => this with { Main = Main[..random.Next(Main.Length)] };

    public DataFiles WithWalCut(Random random) => this with { Wal = Wal![..random.Next(Wal.Length)] };

    public DataFiles WithWalLengthened(Random random)
    {
        byte[] garbage = new byte[random.Next(1, 20_000)];
        random.NextBytes(garbage);
        // Half of the time something that looks like frames of this file: frames of it.
        if (random.Next(2) == 0)
            garbage = Wal![..Math.Min(Wal.Length, 32 + ((PageBytes + 24) * random.Next(1, 4)))][32..];
        return this with { Wal = [.. Wal!, .. garbage] };
    }

    private static byte[] Flipped(Random random, byte[] sound)
    {
        byte[] damaged = [.. sound];
        for (int flips = random.Next(3) == 0 ? random.Next(2, 20) : 1; flips > 0; flips--)
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
        return damaged;
    }
}
