using SQLitePCL;

namespace Statehouse.Journal.Sqlite.Errors;

/// <summary>The one place that says what SQLite's result codes mean to us.</summary>
internal static class SqliteErrors
{
    /// <summary>While reading or writing; nothing of what was being written is there.</summary>
    public static StatehouseException WhileServing(SqliteFailure failure, string path) =>
        failure.Code switch
        {
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_FORMAT => Damaged(failure, path),
            // Our SQL or our data broke a rule of the schema: no retry would help.
            raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_RANGE or raw.SQLITE_MISUSE or raw.SQLITE_ERROR
                or raw.SQLITE_SCHEMA => new InvariantBrokenException($"The journal {path} refused a statement: {failure.Message}.", failure),
            raw.SQLITE_FULL => Unavailable($"The disk of the journal {path} is full; nothing was written. Free some space.", failure),
            raw.SQLITE_READONLY => Unavailable($"The journal {path} has become read-only; nothing was written.", failure),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED =>
                Unavailable($"Another program holds a lock on the journal {path}; nothing was written.", failure),
            _ => Unavailable($"The journal {path} could not be used; nothing was written ({failure.Message}).", failure),
        };

    /// <summary>In a COMMIT that may have reached the disk.</summary>
    public static JournalOutcomeUnknownException InCommit(SqliteFailure failure, string path) =>
        new($"The disk failed while the journal {path} was committing ({failure.Message}); read to learn whether it did.", failure);

    /// <summary>While opening: one sentence that an operator can act on.</summary>
    public static JournalOpenException WhileOpening(SqliteFailure failure, string path)
    {
        string what = failure.Code switch
        {
            raw.SQLITE_NOTADB => "it is not a SQLite database, or its header is damaged; restore it from a backup",
            raw.SQLITE_CORRUPT or raw.SQLITE_FORMAT => $"it is damaged; restore it from a backup ({failure.Message})",
            raw.SQLITE_FULL => "its disk is full; free some space",
            raw.SQLITE_READONLY or raw.SQLITE_PERM => "it cannot be written; check its permissions and how its disk is mounted",
            raw.SQLITE_CANTOPEN => $"the file cannot be opened for writing; check its permissions and its directory's ({failure.Message})",
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "another program holds a lock on it",
            _ => failure.Message,
        };
        // SQLite quotes a damaged schema with its line breaks; an operator gets one line.
        return new JournalOpenException($"The journal {path} cannot be opened: {what.ReplaceLineEndings(" ")}.", failure);
    }

    private static InvariantBrokenException Damaged(SqliteFailure failure, string path) =>
        new($"The journal {path} is damaged ({failure.Message}).", failure);

    private static JournalUnavailableException Unavailable(string message, SqliteFailure failure) => new(message, failure);
}
