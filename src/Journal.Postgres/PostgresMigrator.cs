using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Brings a database to this binary's schema: all missing migrations in one transaction under one lock, so several
/// servers may start at once and a crash leaves either the old schema or the new one.
/// </summary>
internal static class PostgresMigrator
{
    /// <summary>Longer than the longest wait for the lock and a migration of a large table together.</summary>
    private const int CommandSecondsMax = 3600;

    /// <exception cref="JournalOpenException">The database's schema is newer, or was changed by hand.</exception>
    public static async Task ApplyAsync(NpgsqlConnection connection, IOperatorLog log, CancellationToken cancellationToken)
    {
        await using NpgsqlTransaction transaction =
            await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, SqlText.MigrationLimits, cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, SqlText.MigrationLock, cancellationToken).ConfigureAwait(false);
        if (!await HasTableAsync(connection, cancellationToken).ConfigureAwait(false))
            await RunAsync(connection, SqlText.MigrationTable, cancellationToken).ConfigureAwait(false);

        int applied = await CheckAppliedAsync(connection, cancellationToken).ConfigureAwait(false);
        foreach (Migration migration in SqlText.Migrations.Skip(applied))
        {
            await RunAsync(connection, migration.Sql, cancellationToken).ConfigureAwait(false);
            await NoteAsync(connection, migration, cancellationToken).ConfigureAwait(false);
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

        if (applied < SqlText.Migrations.Count)
            log.Write(OperatorLogLevel.Information, $"PostgreSQL journal: applied migrations {applied + 1}..{SqlText.Migrations.Count}.");
    }

    private static async Task<bool> HasTableAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.MigrationState, connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <returns>How many migrations the database has; they are the first ones of ours, unchanged.</returns>
    private static async Task<int> CheckAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.MigrationsApplied, connection);
        await using NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        int applied = 0;
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            applied++;
            CheckOne(applied, rows.GetInt32(0), rows.GetString(1), rows.GetFieldValue<byte[]>(2));
        }
        return applied;
    }

    private static void CheckOne(int expected, int number, string name, byte[] sha256)
    {
        if (number > SqlText.Migrations.Count)
        {
            throw new JournalOpenException(
                $"The database holds migration {number} ({name}) of the journal's schema; this version of Statehouse knows up to {SqlText.Migrations.Count}. Start a newer version.");
        }
        if (number != expected)
            throw new JournalOpenException($"The database's schema statehouse lacks migration {expected}: statehouse.migration was edited. Restore it from a backup.");
        if (!sha256.AsSpan().SequenceEqual(SqlText.Migrations[number - 1].Sha256))
        {
            throw new JournalOpenException(
                $"Migration {number} ({name}) was applied to the database with another text than this version of Statehouse has: checksum {Convert.ToHexStringLower(sha256)[..12]}… there, {Convert.ToHexStringLower(SqlText.Migrations[number - 1].Sha256)[..12]}… here. Start the version that the database belongs to.");
        }
    }

    private static async Task NoteAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.MigrationApplied, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<int> { TypedValue = migration.Number, NpgsqlDbType = NpgsqlDbType.Integer },
                new NpgsqlParameter<string> { TypedValue = migration.Name, NpgsqlDbType = NpgsqlDbType.Text },
                new NpgsqlParameter<byte[]> { TypedValue = migration.Sha256, NpgsqlDbType = NpgsqlDbType.Bytea },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = CommandSecondsMax };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
