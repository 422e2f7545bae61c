using Statehouse.Journal.Sqlite.Errors;

namespace Statehouse.Journal.Sqlite.Opening;

/// <summary>Opens the journal file for its one writer, and makes it where the directory is new. Cheap however large it is.</summary>
internal static class JournalFile
{
    /// <exception cref="JournalOpenException">With one sentence for the operator.</exception>
    public static SqliteDatabase Open(DataDirectory directory, SqliteJournalOptions options)
    {
        if (File.Exists(directory.JournalFile))
            JournalFileHeader.Check(directory.JournalFile);
        else
            Create(directory, options);
        WalFile.Check(directory.WalFile);
        return Guarded(directory.JournalFile, () => OpenWriter(directory.JournalFile, options));
    }

    /// <summary>Turns what goes wrong into a sentence.</summary>
    public static T Guarded<T>(string path, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (SqliteFailure failure)
        {
            throw SqliteErrors.WhileOpening(failure, path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalOpenException($"The journal {path} cannot be opened: {error.Message}", error);
        }
    }

    /// <summary>A new journal appears under its name only when it is complete: so an empty or half one is always damage.</summary>
    private static void Create(DataDirectory directory, SqliteJournalOptions options)
    {
        if (File.Exists(directory.WalFile))
            throw new JournalOpenException(
                $"The journal {directory.JournalFile} is missing, but {directory.WalFile} is there; restore both from one backup.");
        Guarded(directory.JournalFile, () =>
        {
            directory.DropUnfinished();
            using (var database = new SqliteDatabase(directory.UnfinishedJournalFile, mayCreate: true, options.LockWait))
            {
                database.ExecuteScript(Sql.NewDatabase);
                database.ExecuteScript(Sql.ConfigureWriter);
                SchemaMigrations.Apply(database, options.OnCrashPoint);
                database.TryEmptyWal();
            }
            // The writer's first commit syncs the directory (for its new WAL), and this name with it.
            File.Move(directory.UnfinishedJournalFile, directory.JournalFile);
            return true;
        });
    }

    private static SqliteDatabase OpenWriter(string path, SqliteJournalOptions options)
    {
        var database = new SqliteDatabase(path, mayCreate: false, options.LockWait);
        try
        {
            database.ExecuteScript(Sql.ConfigureWriter);
            if (database.IsReadOnly)
                throw new JournalOpenException(
                    $"The journal {path} cannot be opened: it cannot be written; check its permissions and how its disk is mounted.");
            // No other connection may: docs/decisions/0015-checkpoints-stay-with-the-writer.md.
            database.CheckpointEvery(options.CheckpointPages);
            options.OnCrashPoint?.Invoke(CrashPoint.WhileOpening);
            if (database.TryEmptyWal())
                CheckLength(database);
            SchemaMigrations.Apply(database, options.OnCrashPoint);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>With an empty WAL, the file must be as long as its header says.</summary>
    private static void CheckLength(SqliteDatabase database)
    {
        long expected = (database.QueryNumber(Sql.PageCount) ?? 0) * (database.QueryNumber(Sql.PageSize) ?? 0);
        long actual = new FileInfo(database.Path).Length;
        if (actual < expected)
            throw new JournalOpenException(
                $"The journal {database.Path} cannot be opened: it is cut off at {actual} of {expected} bytes; restore it from a backup.");
    }
}
