using System.Runtime.CompilerServices;
using SQLitePCL;
using Statehouse.Journal.Sqlite.Errors;

namespace Statehouse.Journal.Sqlite;

/// <summary>One connection and the statements prepared on it. One thread at a time.</summary>
/// <remarks>
/// Straight on the C API: the ADO.NET driver costs more per row than SQLite itself does, waits for locks by sleeping,
/// and pools connections behind its caller's back.
/// </remarks>
internal sealed class SqliteDatabase : IDisposable
{
    private readonly sqlite3 _connection;

    // By reference: every SQL text is one static string.
    private readonly Dictionary<string, SqliteStatement> _statements = new(ReferenceComparer.Instance);

    static SqliteDatabase() => Batteries_V2.Init();

    /// <param name="path">The database file.</param>
    /// <param name="mayCreate">Whether a missing file is made; else it is an error.</param>
    /// <param name="busyTimeout">How long a lock that another connection holds is waited for.</param>
    /// <exception cref="SqliteFailure">It could not be opened.</exception>
    public SqliteDatabase(string path, bool mayCreate, TimeSpan busyTimeout)
    {
        Path = path;
        int flags = raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX | (mayCreate ? raw.SQLITE_OPEN_CREATE : 0);
        int code = raw.sqlite3_open_v2(path, out _connection, flags, null);
        if (code != raw.SQLITE_OK)
        {
            SqliteFailure failure = FailureOf(code);
            _connection.Dispose();
            throw failure;
        }
        raw.sqlite3_extended_result_codes(_connection, 1);
        raw.sqlite3_busy_timeout(_connection, (int)busyTimeout.TotalMilliseconds);
    }

    public string Path { get; }

    /// <summary>Rows changed by the last insert, update or delete.</summary>
    public int Changes => raw.sqlite3_changes(_connection);

    public long LastInsertRowId => raw.sqlite3_last_insert_rowid(_connection);

    /// <summary>False between a begin and its commit or rollback.</summary>
    public bool IsOutsideTransaction => raw.sqlite3_get_autocommit(_connection) != 0;

    /// <summary>SQLite silently falls back to reading where it may not write the file.</summary>
    public bool IsReadOnly => raw.sqlite3_db_readonly(_connection, "main") == 1;

    /// <summary>A statement ready to be bound; disposing ends its use and keeps it for the next.</summary>
    /// <param name="sql">One statement, a text of <see cref="Sql"/>.</param>
    public SqliteStatement Prepare(string sql)
    {
        if (_statements.TryGetValue(sql, out SqliteStatement? statement))
            return statement;
        int code = raw.sqlite3_prepare_v2(_connection, sql, out sqlite3_stmt handle);
        ThrowUnless(code == raw.SQLITE_OK, code);
        statement = new SqliteStatement(this, handle);
        _statements.Add(sql, statement);
        return statement;
    }

    /// <summary>Runs one statement that has no parameters and returns no row that matters.</summary>
    public void Execute(string sql)
    {
        using SqliteStatement statement = Prepare(sql);
        statement.Run();
    }

    /// <summary>Runs a text of several statements, once: for migrations and settings.</summary>
    public void ExecuteScript(string sql)
    {
        int code = raw.sqlite3_exec(_connection, sql);
        ThrowUnless(code == raw.SQLITE_OK, code);
    }

    /// <summary>The one number that a statement returns; null where it returns no row or NULL.</summary>
    public long? QueryNumber(string sql)
    {
        using SqliteStatement statement = Prepare(sql);
        return statement.Step() && !statement.IsNull(0) ? statement.Int64(0) : null;
    }

    /// <summary>Reads by several statements as of one moment: what is removed meanwhile is still there.</summary>
    public T AsOfOneMoment<T>(Func<T> read)
    {
        Execute(Sql.BeginRead);
        try
        {
            return read();
        }
        finally
        {
            RollbackIfOpen();
        }
    }

    /// <summary>Ends an open transaction and drops what it wrote.</summary>
    public void RollbackIfOpen()
    {
        if (!IsOutsideTransaction)
            Execute(Sql.Rollback);
    }

    /// <summary>Moves the WAL into the database file and empties it. False where readers or a lock stood in the way.</summary>
    public bool TryEmptyWal()
    {
        int code = raw.sqlite3_wal_checkpoint_v2(_connection, "main", raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        if (SqliteFailure.PrimaryCodeOf(code) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED)
            return false;
        ThrowUnless(code == raw.SQLITE_OK, code);
        return true;
    }

    /// <summary>Makes a commit that leaves this many pages or more in the WAL move them into the database file.</summary>
    public void CheckpointEvery(int pages)
    {
        int code = raw.sqlite3_wal_autocheckpoint(_connection, pages);
        ThrowUnless(code == raw.SQLITE_OK, code);
    }

    public SqliteFailure FailureOf(int code) =>
        new(code, raw.sqlite3_extended_errcode(_connection), raw.sqlite3_errmsg(_connection).utf8_to_string());

    public void Dispose()
    {
        foreach (SqliteStatement statement in _statements.Values)
            statement.Free();
        _statements.Clear();
        _connection.Dispose();
    }

    private void ThrowUnless(bool succeeded, int code)
    {
        if (!succeeded)
            throw FailureOf(code);
    }

    private sealed class ReferenceComparer : IEqualityComparer<string>
    {
        public static readonly ReferenceComparer Instance = new();

        public bool Equals(string? x, string? y) => ReferenceEquals(x, y);

        public int GetHashCode(string text) => RuntimeHelpers.GetHashCode(text);
    }
}
