using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>What is checked and done once, before a database serves: the server, its durability, the schema.</summary>
internal static class PostgresOpening
{
    /// <summary>Set compression, and sessions that tell their settings, exist since then.</summary>
    private static readonly Version OldestServer = new(14, 0);

    /// <exception cref="JournalOpenException">The server, the role or the schema does not do.</exception>
    /// <exception cref="JournalUnavailableException">SH-2001. The server cannot be reached, or only lets read.</exception>
    public static Task PrepareAsync(
        PostgresSessions sessions, IOperatorLog log, Action<CrashPoint>? onCrashPoint, CancellationToken cancellationToken) =>
        OnServerAsync(sessions, "serve as the journal", async connection =>
        {
            await WarnOfWeakDurabilityAsync(connection, log, cancellationToken).ConfigureAwait(false);
            onCrashPoint?.Invoke(CrashPoint.WhileOpening);
            await new PostgresMigrator(connection, MigrationSet.Journal, onCrashPoint).ApplyAsync(log, cancellationToken).ConfigureAwait(false);
        }, cancellationToken);

    /// <summary>Does something once on a server that was checked first, and maps what goes wrong; the purpose completes "PostgreSQL refuses to …".</summary>
    /// <exception cref="JournalOpenException">The server or the role does not do, or the work says so.</exception>
    /// <exception cref="JournalUnavailableException">SH-2001. The server cannot be reached, or only lets read.</exception>
    public static async Task OnServerAsync(
        PostgresSessions sessions, string purpose, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await using NpgsqlConnection connection = await sessions.OpenRawAsync(cancellationToken).ConfigureAwait(false);
            CheckServer(connection);
            await work(connection).ConfigureAwait(false);
        }
        catch (PostgresException error) when (IsMisconfigured(error))
        {
            throw new JournalOpenException($"PostgreSQL refuses to {purpose}: {error.MessageText} (SQLSTATE {error.SqlState}).", error);
        }
        catch (Exception error) when (PostgresErrors.IsOurs(error))
        {
            throw PostgresErrors.Connecting(error);
        }
    }

    private static void CheckServer(NpgsqlConnection connection)
    {
        if (connection.PostgreSqlVersion < OldestServer)
            throw new JournalOpenException($"The PostgreSQL server is version {connection.PostgreSqlVersion}; Statehouse needs {OldestServer.Major} or newer.");
        string encoding = connection.PostgresParameters["server_encoding"];
        if (encoding != "UTF8")
            throw new JournalOpenException($"The database's encoding is {encoding}; Statehouse needs UTF8, so that names are kept and ordered by their bytes.");
    }

    private static async Task WarnOfWeakDurabilityAsync(
        NpgsqlConnection connection, IOperatorLog log, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.Durability, connection);
        await using NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            log.Write(OperatorLogLevel.Warning, WeakSetting(rows.GetString(0), rows.GetString(1)));
    }

    private static string WeakSetting(string name, string value) => name switch
    {
        "synchronous_commit" =>
            $"PostgreSQL has synchronous_commit = {value}; the journal's own sessions use on, so its commits are durable all the same.",
        _ => $"PostgreSQL has {name} = {value}: acknowledged commits can be lost or damaged when the machine stops. Set it to on.",
    };

    /// <summary>No such database or schema, no right to it, or a feature that the server lacks: waiting will not help.</summary>
    private static bool IsMisconfigured(PostgresException error) =>
        error.SqlState[..2] is "28" or "3D" or "3F" or "42" or "0A";
}
