using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Brings a database to this binary's version of a schema: all missing migrations in one transaction under one lock,
/// so several servers may start at once and a crash leaves either the old schema or the new one.
/// </summary>
internal sealed class PostgresMigrator(NpgsqlConnection connection, MigrationSet set, Action<CrashPoint>? onCrashPoint = null)
{
    /// <summary>Longer than the longest wait for the lock and a migration of a large table together.</summary>
    private const int CommandSecondsMax = 3600;

    /// <exception cref="JournalOpenException">The database's schema is newer, or was changed by hand.</exception>
    public async Task ApplyAsync(IOperatorLog log, CancellationToken cancellationToken)
    {
        await using NpgsqlTransaction transaction =
            await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await RunAsync(SqlText.MigrationLimits, cancellationToken).ConfigureAwait(false);
        await RunAsync(SqlText.MigrationLock, cancellationToken).ConfigureAwait(false);
        if (!await HasTableAsync(cancellationToken).ConfigureAwait(false))
            await RunAsync(set.CreateTableSql, cancellationToken).ConfigureAwait(false);

        int applied = await CheckAppliedAsync(cancellationToken).ConfigureAwait(false);
        foreach (Migration migration in set.Migrations.Skip(applied))
        {
            await RunAsync(migration.Sql, cancellationToken).ConfigureAwait(false);
            await NoteAsync(migration, cancellationToken).ConfigureAwait(false);
            onCrashPoint?.Invoke(CrashPoint.InMigration);
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

        if (applied < set.Migrations.Count)
            log.Write(OperatorLogLevel.Information, $"PostgreSQL: applied migrations {applied + 1}..{set.Migrations.Count} of {set.Name}.");
    }

    /// <summary>Changes nothing and waits for nobody.</summary>
    /// <returns>How many migrations the database has; they are the first ones of ours, unchanged.</returns>
    /// <exception cref="JournalOpenException">The database's schema is newer, or was changed by hand.</exception>
    public async Task<int> CountAppliedAsync(CancellationToken cancellationToken) =>
        await HasTableAsync(cancellationToken).ConfigureAwait(false)
            ? await CheckAppliedAsync(cancellationToken).ConfigureAwait(false)
            : 0;

    private async Task<bool> HasTableAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(set.HasTableSql, connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private async Task<int> CheckAppliedAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(set.AppliedSql, connection);
        await using NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        int applied = 0;
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            applied++;
            CheckOne(applied, rows.GetInt32(0), rows.GetString(1), rows.GetFieldValue<byte[]>(2));
        }
        return applied;
    }

    private void CheckOne(int expected, int number, string name, byte[] sha256)
    {
        if (number > set.Migrations.Count)
        {
            throw new JournalOpenException(
                $"The database holds migration {number} ({name}) of {set.Name}; this version of Statehouse knows up to {set.Migrations.Count}. Start a newer version.");
        }
        if (number != expected)
            throw new JournalOpenException($"The database's schema {set.Schema} lacks migration {expected}: {set.Schema}.migration was edited. Restore it from a backup.");
        if (!sha256.AsSpan().SequenceEqual(set.Migrations[number - 1].Sha256))
        {
            throw new JournalOpenException(
                $"Migration {number} ({name}) of {set.Name} was applied to the database with another text than this version of Statehouse has: checksum {Convert.ToHexStringLower(sha256)[..12]}… there, {Convert.ToHexStringLower(set.Migrations[number - 1].Sha256)[..12]}… here. Start the version that the database belongs to.");
        }
    }

    private async Task NoteAsync(Migration migration, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(set.NoteSql, connection)
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

    private async Task RunAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = CommandSecondsMax };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
