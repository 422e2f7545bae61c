using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Gateway;

/// <summary>The only part of the gateway that knows which stores there are.</summary>
internal static class ProgramStores
{
    /// <exception cref="JournalOpenException">It cannot be opened; the message is the one line for the operator.</exception>
    public static async Task<IJournalStore> OpenAsync(
        ServerSettings settings, ProgramHooks hooks, IOperatorLog log, CancellationToken cancellationToken) =>
        hooks.Around(await OpenAsync(settings, hooks.OnCrashPoint, log, cancellationToken));

    private static async Task<IJournalStore> OpenAsync(
        ServerSettings settings, Action<CrashPoint>? onCrashPoint, IOperatorLog log, CancellationToken cancellationToken) =>
        settings.Journal == JournalKind.Sqlite
            ? await SqliteJournalStore.OpenAsync(
                new SqliteJournalOptions { DataDirectory = settings.DataDirectory, OnCrashPoint = onCrashPoint }, log, cancellationToken)
            : await PostgresJournalStore.OpenAsync(
                new PostgresJournalOptions { ConnectionString = settings.Postgres!, OnCrashPoint = onCrashPoint }, log, cancellationToken);
}
