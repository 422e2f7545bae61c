namespace Statehouse.Journal.Sqlite;

/// <summary>Where an embedded journal lives and what it may use.</summary>
public sealed record SqliteJournalOptions
{
    /// <summary>A directory of the journal's own; created (mode 0700) where it is missing. One process at a time.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Reads that run at once; more wait for their turn. 1..64, default 4. Each costs up to 4 MiB of page cache.</summary>
    public int ReadConnections { get; init; } = 4;

    /// <summary>
    /// Pages (4 KiB each) that gather in the write-ahead file before a commit moves them into the database. 100..1,000,000,
    /// default 8,000 (32 MiB). More: fewer page writes, a longer recovery after a crash.
    /// </summary>
    public int CheckpointPages { get; init; } = 8_000;

    /// <summary>
    /// How long a lock that another program holds on the file (a backup, a shell) is waited for before SH-2001.
    /// 0..60 s, default 5 s.
    /// </summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told when this process comes to a <see cref="CrashPoint"/>; fault tests end it there. Default null: nobody.</summary>
    public Action<CrashPoint>? OnCrashPoint { get; init; }

    /// <exception cref="JournalOpenException">A value is out of its range.</exception>
    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(DataDirectory))
            throw new JournalOpenException("The data directory must be named; it is empty.");
        RequireRange(nameof(ReadConnections), ReadConnections, 1, 64);
        RequireRange(nameof(CheckpointPages), CheckpointPages, 100, 1_000_000);
        RequireRange(nameof(LockWait), LockWait.TotalSeconds, 0, 60);
    }

    private static void RequireRange(string name, double value, double min, double max)
    {
        if (!(value >= min && value <= max))
            throw new JournalOpenException($"The journal's {name} must be {min}..{max}; it is {value}.");
    }
}
