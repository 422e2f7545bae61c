using System.Collections.Concurrent;
using Statehouse.Journal.Sqlite.Errors;
using Statehouse.Journal.Sqlite.Writing;

namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>
/// A bounded set of connections that only read. In WAL mode they never wait for the writer, nor it for them; each read
/// sees the journal as of its first row.
/// </summary>
internal sealed class ReadPool(string path, SqliteJournalOptions options, WriterLoop writer) : IAsyncDisposable
{
    private readonly SemaphoreSlim _turns = new(options.ReadConnections, options.ReadConnections);
    private readonly ConcurrentStack<SqliteDatabase> _idle = new();
    private volatile bool _isClosed;

    /// <summary>Runs one bounded read on the caller's thread.</summary>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    /// <exception cref="InvariantBrokenException">SH-9001. What was read is damaged.</exception>
    public async Task<T> ReadAsync<T>(Func<SqliteDatabase, T> read, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return Read(read);
        }
        catch (SqliteFailure failure)
        {
            throw SqliteErrors.WhileServing(failure, path);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Waits for the reads that run, then closes their connections.</summary>
    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        for (int i = 0; i < options.ReadConnections; i++)
            await _turns.WaitAsync().ConfigureAwait(false);
        while (_idle.TryPop(out SqliteDatabase? database))
            database.Dispose();
        // Given back, so that a read that comes too late hears that the journal was closed instead of waiting for ever.
        _turns.Release(options.ReadConnections);
    }

    private T Read<T>(Func<SqliteDatabase, T> read)
    {
        if (_isClosed)
            throw new JournalUnavailableException($"The journal {path} was closed.");
        if (writer.IsInDoubt)
            throw new JournalUnavailableException($"The disk of the journal {path} failed in mid-commit and has not recovered.");
        SqliteDatabase database = _idle.TryPop(out SqliteDatabase? idle) ? idle : Open();
        try
        {
            return read(database);
        }
        finally
        {
            _idle.Push(database);
        }
    }

    private SqliteDatabase Open()
    {
        var database = new SqliteDatabase(path, mayCreate: false, options.LockWait);
        try
        {
            database.ExecuteScript(Sql.ConfigureReader);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }
}
