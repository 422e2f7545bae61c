using System.Text;

namespace Statehouse.Journal.Sqlite.Opening;

/// <summary>Brings a database to the schema that this binary knows; refuses one that it does not.</summary>
internal static class SchemaMigrations
{
    /// <exception cref="JournalOpenException">The schema is newer, or was made by migrations other than ours.</exception>
    public static void Apply(SqliteDatabase database, Action<CrashPoint>? onCrashPoint = null) => Apply(database, Sql.Migrations, onCrashPoint);

    /// <summary>As <see cref="Apply(SqliteDatabase, Action{CrashPoint})"/>, with the migrations given.</summary>
    public static void Apply(SqliteDatabase database, IReadOnlyList<Migration> known, Action<CrashPoint>? onCrashPoint = null)
    {
        database.Execute(Sql.MigrationTable);
        int applied = CheckApplied(database, known);
        foreach (Migration migration in known.Skip(applied))
            ApplyOne(database, migration, onCrashPoint);
    }

    /// <summary>How many of the known migrations the database has.</summary>
    private static int CheckApplied(SqliteDatabase database, IReadOnlyList<Migration> known)
    {
        int applied = 0;
        using SqliteStatement rows = database.Prepare(Sql.MigrationList);
        for (; rows.Step(); applied++)
        {
            string name = Encoding.UTF8.GetString(rows.Bytes(1));
            if (applied == known.Count)
                throw new JournalOpenException(
                    $"The journal {database.Path} has a newer schema ({name}) than this version knows " +
                    $"({known[^1].Name}); run the version that made it, or a later one.");
            Migration expected = known[applied];
            if (rows.Int64(0) != expected.Number || name != expected.Name || !rows.Bytes(2).SequenceEqual(expected.Checksum))
                throw new JournalOpenException(
                    $"The journal {database.Path} was made by another migration {name} than this version's {expected.Name}; " +
                    "run the version that made it.");
        }
        return applied;
    }

    private static void ApplyOne(SqliteDatabase database, Migration migration, Action<CrashPoint>? onCrashPoint)
    {
        database.Execute(Sql.Begin);
        try
        {
            database.ExecuteScript(migration.Text);
            database.Prepare(Sql.MigrationAdd)
                .Bind(1, migration.Number)
                .BindText(2, Encoding.UTF8.GetBytes(migration.Name))
                .Bind(3, migration.Checksum)
                .Run();
            onCrashPoint?.Invoke(CrashPoint.InMigration);
            database.Execute(Sql.Commit);
        }
        catch
        {
            database.RollbackIfOpen();
            throw;
        }
    }
}
