using SQLitePCL;

namespace Statehouse.Journal.Sqlite;

/// <summary>
/// A prepared statement of one connection. <see cref="Dispose"/> ends one use of it: it lets go of the rows it was
/// reading, so that no read transaction outlives its reader. The connection frees it for good.
/// </summary>
/// <remarks>Parameters count from 1, columns from 0, as in SQL and in the C API.</remarks>
internal sealed class SqliteStatement(SqliteDatabase database, sqlite3_stmt handle) : IDisposable
{
    public SqliteStatement Bind(int parameter, long value)
    {
        Check(raw.sqlite3_bind_int64(handle, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> blob)
    {
        // An empty span has no address, which SQLite would take for NULL.
        Check(blob.IsEmpty
            ? raw.sqlite3_bind_zeroblob(handle, parameter, 0)
            : raw.sqlite3_bind_blob(handle, parameter, blob));
        return this;
    }

    public SqliteStatement BindText(int parameter, ReadOnlySpan<byte> utf8)
    {
        Check(utf8.IsEmpty
            ? raw.sqlite3_bind_text(handle, parameter, "")
            : raw.sqlite3_bind_text(handle, parameter, utf8));
        return this;
    }

    public SqliteStatement BindNullable(int parameter, long? value)
    {
        if (value is { } number)
            return Bind(parameter, number);
        Check(raw.sqlite3_bind_null(handle, parameter));
        return this;
    }

    public SqliteStatement BindTextOrNull(int parameter, byte[]? utf8)
    {
        if (utf8 is not null)
            return BindText(parameter, utf8);
        Check(raw.sqlite3_bind_null(handle, parameter));
        return this;
    }

    /// <summary>True: there is a row to read. False: there are no more.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code == raw.SQLITE_DONE)
            return false;
        Exception failure = database.FailureOf(code);
        Dispose();
        throw failure;
    }

    /// <summary>Steps to the end and makes the statement ready for its next use.</summary>
    public void Run()
    {
        while (Step())
        {
            // The rows of a statement that is run for its effect say nothing.
        }
        Dispose();
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;

    public long Int64(int column) => raw.sqlite3_column_int64(handle, column);

    /// <summary>A blob, or a text's UTF-8. Valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(handle, column);

    // The code that reset returns repeats the failure of the last step, which was thrown there.
    public void Dispose() => raw.sqlite3_reset(handle);

    public void Free() => handle.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw database.FailureOf(code);
    }
}
