namespace Statehouse.Gateway;

internal enum JournalKind
{
    Sqlite,
    Postgres,
}

/// <summary>What the single-node server runs with. Names and sources: <see cref="ServerSettingTable"/>.</summary>
internal sealed record ServerSettings : ProgramSettings
{
    /// <summary>Folder of the SQLite journal. Default <c>./data</c>.</summary>
    public string DataDirectory { get; init; } = "./data";

    /// <summary>Which journal; PostgreSQL needs <see cref="ProgramSettings.Postgres"/>. Default SQLite.</summary>
    public JournalKind Journal { get; init; } = JournalKind.Sqlite;
}
