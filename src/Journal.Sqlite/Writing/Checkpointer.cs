using Statehouse.Journal.Sqlite.Errors;

namespace Statehouse.Journal.Sqlite.Writing;

/// <summary>
/// Moves the pages of the write-ahead file (WAL) into the database file on a thread and a connection of its own, so that
/// batches do not wait for it. Only what was written meanwhile is left to the writer, after which SQLite begins the WAL
/// anew. Source: docs/decisions/0015-checkpoints-beside-the-writer.md.
/// </summary>
internal sealed class Checkpointer : IDisposable
{
    /// <summary>Pages of 4 KiB that the writer may be left with.</summary>
    private const int RestMax = 256;

    /// <summary>Under a writer that fills the WAL as fast as it is moved, no pass is the last one.</summary>
    private const int PassesMax = 8;

    private readonly string _path;
    private readonly int _pages;
    private readonly IOperatorLog _log;
    private readonly Thread _thread;
    private readonly AutoResetEvent _wanted = new(initialState: false);
    private readonly Lock _pass = new();
    private volatile Phase _phase;
    private volatile bool _isClosing;

    // The writer's: an estimate of the pages in the WAL, and how many of them call for the next move.
    private long _inWal;
    private long _moveAt;

    /// <param name="path">The database file.</param>
    /// <param name="pages">Pages in the WAL that call for a move.</param>
    /// <param name="log">Hears of moves that failed.</param>
    public Checkpointer(string path, int pages, IOperatorLog log)
    {
        _path = path;
        _pages = pages;
        _moveAt = pages;
        _log = log;
        _thread = new Thread(Run) { IsBackground = true, Name = "statehouse-journal-checkpoint" };
        _thread.Start();
    }

    private enum Phase
    {
        /// <summary>Nothing to do, or not enough.</summary>
        Idle,

        /// <summary>The thread moves pages.</summary>
        Moving,

        /// <summary>It has; the rest is the writer's.</summary>
        Moved,
    }

    /// <summary>On the writer's thread, after a transaction has ended. A failure is logged: what was acknowledged stands.</summary>
    public void AfterTransaction(SqliteDatabase writer)
    {
        _inWal += writer.TakePagesWritten();
        if (_phase == Phase.Moved)
            MoveRest(writer);
        if (_phase == Phase.Idle && _inWal >= _moveAt)
        {
            _phase = Phase.Moving;
            _wanted.Set();
        }
    }

    /// <summary>Empties the WAL on the writer's connection once no pass runs, which would stand in the way.</summary>
    /// <returns>As <see cref="SqliteDatabase.TryEmptyWal"/>.</returns>
    public bool TryEmptyWal(SqliteDatabase writer)
    {
        lock (_pass)
            return writer.TryEmptyWal();
    }

    /// <summary>Waits for the pass that runs, and closes the connection.</summary>
    public void Dispose()
    {
        _isClosing = true;
        _wanted.Set();
        _thread.Join();
        _wanted.Dispose();
    }

    private void MoveRest(SqliteDatabase writer)
    {
        try
        {
            // Not all of it while a reader still reads what stands in the WAL: then it is not begun anew either.
            if (writer.MoveWal() is { } rest)
                _inWal = rest.InWal == rest.Moved ? 0 : rest.InWal;
        }
        catch (SqliteFailure failure)
        {
            Say(failure);
        }
        _moveAt = _inWal + (_inWal == 0 ? _pages : _pages / 4);
        _phase = Phase.Idle;
    }

    private void Run()
    {
        SqliteDatabase? database = null;
        while (_wanted.WaitOne() && !_isClosing)
        {
            try
            {
                Move(database ??= Open());
            }
            catch (SqliteFailure failure)
            {
                Say(failure);
            }
            // Also after a failure: the writer tries for itself, and says when the next move is due.
            _phase = Phase.Moved;
        }
        database?.Dispose();
    }

    /// <summary>Pass after pass, each with what was written during the one before, until little is left.</summary>
    private void Move(SqliteDatabase database)
    {
        long before = 0;
        for (int pass = 0; pass < PassesMax && !_isClosing; pass++)
        {
            (long InWal, long Moved)? wal;
            lock (_pass)
                wal = database.MoveWal();
            if (wal is not { } now || now.Moved < now.InWal || now.InWal - before <= RestMax)
                return;
            before = now.InWal;
        }
    }

    private SqliteDatabase Open()
    {
        var database = new SqliteDatabase(_path, mayCreate: false, TimeSpan.Zero);
        try
        {
            // As the writer's: a move is synced before the WAL may be begun anew.
            database.ExecuteScript(Sql.ConfigureWriter);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private void Say(SqliteFailure failure) =>
        _log.Write(OperatorLogLevel.Warning, $"The write-ahead file of the journal {_path} grows: its pages could not be moved into the database file; this is tried again.", failure);
}
