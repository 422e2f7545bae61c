using System.Collections.Concurrent;
using Statehouse.Journal.Sqlite.Errors;

namespace Statehouse.Journal.Sqlite.Writing;

/// <summary>
/// The one thread that writes, and its connection: transactions run one after the other, in the order in which they
/// were asked for. After a failure the next one starts clean on the same connection.
/// </summary>
internal sealed class WriterLoop : IAsyncDisposable
{
    private readonly SqliteDatabase _database;
    private readonly IOperatorLog _log;
    private readonly BlockingCollection<Job> _jobs = new(new ConcurrentQueue<Job>());
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isInDoubt;

    /// <param name="database">Becomes the loop's own, and is closed with it.</param>
    /// <param name="log">Hears of commits in doubt.</param>
    public WriterLoop(SqliteDatabase database, IOperatorLog log)
    {
        _database = database;
        _log = log;
        new Thread(Run) { IsBackground = true, Name = "statehouse-journal-writer" }.Start();
    }

    /// <summary>
    /// Whether a failed commit may still surface after a crash. Until that is settled nothing may be read: what a reader
    /// is told now could turn out otherwise.
    /// </summary>
    public bool IsInDoubt => _isInDoubt;

    /// <summary>Runs <paramref name="work"/> in a transaction, and <paramref name="acknowledge"/> once it is durable.</summary>
    /// <param name="work">On the writer's thread. What it throws rolls the transaction back.</param>
    /// <param name="acknowledge">On the writer's thread, after the fsync.</param>
    /// <param name="cancellationToken">Gives up waiting; a transaction that has begun goes on.</param>
    /// <exception cref="JournalUnavailableException">SH-2001. Nothing was written.</exception>
    /// <exception cref="JournalOutcomeUnknownException">SH-2002.</exception>
    public Task TransactAsync(Action<SqliteDatabase> work, Action acknowledge, CancellationToken cancellationToken)
    {
        var job = new Job(work, acknowledge, cancellationToken);
        try
        {
            _jobs.Add(job, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            throw new JournalUnavailableException($"The journal {_database.Path} was closed; nothing was written.");
        }
        return job.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Runs what was asked for, then closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _jobs.CompleteAdding();
        await _stopped.Task.ConfigureAwait(false);
        _jobs.Dispose();
    }

    private void Run()
    {
        foreach (Job job in _jobs.GetConsumingEnumerable())
            RunJob(job);
        _database.Dispose();
        _stopped.SetResult();
    }

    private void RunJob(Job job)
    {
        if (job.CancellationToken.IsCancellationRequested)
        {
            job.Done.TrySetCanceled(job.CancellationToken);
            return;
        }
        try
        {
            Transact(job.Work);
            job.Acknowledge();
            job.Done.TrySetResult();
        }
        catch (SqliteFailure failure)
        {
            job.Done.TrySetException(SqliteErrors.WhileServing(failure, _database.Path));
        }
        catch (Exception error)
        {
            job.Done.TrySetException(error);
        }
    }

    private void Transact(Action<SqliteDatabase> work)
    {
        if (_isInDoubt && !TrySettle())
            throw new JournalUnavailableException(
                $"The disk of the journal {_database.Path} failed in mid-commit and has not recovered; nothing was written.");
        // A rollback that failed, too, may have left a transaction open.
        _database.RollbackIfOpen();
        _database.Execute(Sql.Begin);
        try
        {
            work(_database);
            Commit();
        }
        catch (Exception error)
        {
            RollbackAfter(error);
            throw;
        }
    }

    private void Commit()
    {
        try
        {
            _database.Execute(Sql.Commit);
        }
        catch (SqliteFailure failure) when (failure.LeavesCommitInDoubt)
        {
            _isInDoubt = true;
            _log.Write(OperatorLogLevel.Error, $"The disk failed while the journal {_database.Path} was committing.", failure);
            RollbackAfter(failure);
            TrySettle();
            throw SqliteErrors.InCommit(failure, _database.Path);
        }
    }

    private void RollbackAfter(Exception cause)
    {
        try
        {
            _database.RollbackIfOpen();
        }
        catch (SqliteFailure failure)
        {
            _log.Write(OperatorLogLevel.Error,
                $"The journal {_database.Path} could not roll back ({failure.Message}) after a failure; it tries again before the next write.", cause);
        }
    }

    /// <summary>
    /// A commit whose fsync failed is not visible now, but its pages may lie whole in the WAL, and a recovery after a
    /// crash would find them and show it. Emptying the WAL keeps what was acknowledged and ends the doubt: not written.
    /// </summary>
    private bool TrySettle()
    {
        try
        {
            if (!_database.TryEmptyWal())
                return false;
        }
        catch (SqliteFailure failure)
        {
            _log.Write(OperatorLogLevel.Error,
                $"The journal {_database.Path} neither reads nor writes until a commit in doubt is settled.", failure);
            return false;
        }
        _isInDoubt = false;
        _log.Write(OperatorLogLevel.Warning, $"The journal {_database.Path} has settled a commit in doubt: it was not written.");
        return true;
    }

    private sealed class Job(Action<SqliteDatabase> work, Action acknowledge, CancellationToken cancellationToken)
    {
        public Action<SqliteDatabase> Work { get; } = work;

        public Action Acknowledge { get; } = acknowledge;

        public CancellationToken CancellationToken { get; } = cancellationToken;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
