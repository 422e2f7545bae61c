namespace Statehouse.Gateway;

/// <summary>What the single-node server can be told.</summary>
internal static class ServerSettingTable
{
    public const string FileName = "statehouse.json";

    public static readonly SettingTable<ServerSettings> Table = new(
        "The single-node Statehouse server: HTTP/JSON over an embedded journal. Flags win over environment variables, "
        + "those over the settings file. It stops on SIGTERM or Ctrl-C, after what is in flight, and exits with 0.",
        FileName,
        new ServerSettings(),
        [
            new("data_dir", "--data", "STATEHOUSE_DATA_DIR", "DIR",
                "Folder of the SQLite journal, made where it is missing. Default ./data", "a path",
                (settings, text) => text.Length == 0 || text.Contains('\0') ? null : settings with { DataDirectory = text }),
            CommonSettings.Http<ServerSettings>(),
            CommonSettings.Grpc<ServerSettings>(),
            new("journal", "--journal", "STATEHOUSE_JOURNAL", "NAME",
                "Where commits are kept: sqlite or postgres. Default sqlite", "sqlite or postgres",
                (settings, text) => Journal(text) is { } journal ? settings with { Journal = journal } : null),
            CommonSettings.Postgres<ServerSettings>("Connection string, for --journal postgres"),
            .. CommonSettings.Executions<ServerSettings>(),
            CommonSettings.Log<ServerSettings>(),
        ],
        CheckTogether);

    private static JournalKind? Journal(string text) => text switch
    {
        "sqlite" => JournalKind.Sqlite,
        "postgres" => JournalKind.Postgres,
        _ => null,
    };

    private static void CheckTogether(ServerSettings settings)
    {
        if (settings.Journal == JournalKind.Postgres && settings.Postgres is null)
            throw new SettingsException("--journal is \"postgres\"; it needs --postgres or STATEHOUSE_POSTGRES, a connection string.");
    }
}
