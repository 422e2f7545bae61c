namespace Statehouse.Journal.Postgres;

/// <summary>How to reach and use a PostgreSQL server (14 or newer) as a journal store.</summary>
public sealed record PostgresJournalOptions
{
    /// <summary>
    /// Npgsql's keywords: <c>Host=…;Database=…;Username=…</c>. Pool sizes, timeouts and what else the store depends on
    /// are set by the store. Must lead to sessions of the primary itself (or a pooler in session mode).
    /// </summary>
    public required string ConnectionString { get; init; }

    /// <summary>Appends in flight at once, each on a connection of its own: 1..32, default 2. One writes while the other's fsync is awaited.</summary>
    public int WriterCount { get; init; } = 2;

    /// <summary>Connections for everything but appends: 1..1,000, default 16. Beyond it calls wait for a free one.</summary>
    public int ReaderConnectionsMax { get; init; } = 16;

    /// <summary>
    /// How long the server may take for one call: 100 ms..10 min, default 10 s. The server itself stops there; this
    /// process waits 2 s longer for it to say so, and only then gives the connection up.
    /// </summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long connecting, or waiting for a free connection, may take: 1 s..1 min, default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told when this process comes to a <see cref="CrashPoint"/>; fault tests end it there. Default null: nobody.</summary>
    public Action<CrashPoint>? OnCrashPoint { get; init; }

    internal void Validate()
    {
        RequireBetween(nameof(WriterCount), WriterCount, 1, 32);
        RequireBetween(nameof(ReaderConnectionsMax), ReaderConnectionsMax, 1, 1000);
        RequireBetween(nameof(CommandTimeout), CommandTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10));
        RequireBetween(nameof(ConnectTimeout), ConnectTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    private static void RequireBetween<T>(string name, T value, T min, T max)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
            throw new JournalOpenException($"{nameof(PostgresJournalOptions)}.{name} is {value}; it must be {min}..{max}.");
    }
}
