using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Writes batches: one statement, one transaction, one fsync each. Repeats one only where PostgreSQL says that it
/// rolled it back; splits one only where a unit's data was refused, so that this unit hurts no other.
/// </summary>
internal sealed class AppendWriter(
    PostgresSessions sessions, StreamIds streamIds, HeadReader heads, IOperatorLog log, Action<CrashPoint>? onCrashPoint)
{
    /// <summary>Rows are taken in one order everywhere, so even one repeat is rare.</summary>
    private const int AttemptsMax = 5;

    public async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        List<AppendUnit> units = await PossibleAsync(batch, cancellationToken).ConfigureAwait(false);
        if (units.Count == 0)
            return;
        try
        {
            await WriteTogetherAsync(units, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedDataException refused) when (units.Count > 1)
        {
            log.Write(OperatorLogLevel.Error, $"PostgreSQL refused the data of a batch; its {units.Count} units are written one by one.", refused.InnerException);
            await WriteOneByOneAsync(units, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedDataException refused)
        {
            throw refused.Reason;
        }
    }

    /// <summary>Leaves out, as conflicts, units that cannot match whatever the database holds.</summary>
    private async Task<List<AppendUnit>> PossibleAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        var possible = new List<AppendUnit>(batch.Count);
        // By index, here and below: an interface's enumerator is an object, and there is one per unit and run.
        for (int u = 0; u < batch.Count; u++)
        {
            AppendUnit unit = batch[u];
            if (await CanMatchAsync(unit, cancellationToken).ConfigureAwait(false))
                possible.Add(unit);
            else
                unit.Outcome = AppendOutcome.Conflict;
        }
        return possible;
    }

    private async ValueTask<bool> CanMatchAsync(AppendUnit unit, CancellationToken cancellationToken)
    {
        for (int r = 0; r < unit.Runs.Count; r++)
        {
            AppendRun run = unit.Runs[r];
            JournalHandle handle = run.Handle;
            bool creates = run.ExpectedVersion == AgentVersion.None;
            if (creates && run.ExpectedHash != CommitHash.Genesis(handle.Agent))
                return false;
            // Only where nobody has read the agent's head yet: a round trip that appends do not normally need.
            if (!creates && handle.StoreKey == 0 && await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false) is null)
                return false;
        }
        return true;
    }

    /// <exception cref="RefusedDataException">Nothing was written; at least one unit can never be.</exception>
    private async Task WriteTogetherAsync(List<AppendUnit> units, CancellationToken cancellationToken)
    {
        bool together = units.Exists(static unit => unit.Runs.Count > 1);
        var arguments = new AppendArguments(await SlotsAsync(units, cancellationToken).ConfigureAwait(false));
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                long[] positions = await SendAsync(arguments, together, cancellationToken).ConfigureAwait(false);
                arguments.Settle(units, positions);
                return;
            }
            catch (PostgresException error) when (PostgresErrors.IsTransient(error) && attempt < AttemptsMax)
            {
                log.Write(OperatorLogLevel.Warning, $"PostgreSQL rolled an append back ({error.SqlState}); it is sent again (attempt {attempt + 1} of {AttemptsMax}).", error);
            }
            catch (Exception error) when (PostgresErrors.IsRefusedData(error))
            {
                throw new RefusedDataException(error);
            }
            catch (Exception error) when (PostgresErrors.IsOurs(error) || error is OperationCanceledException)
            {
                sessions.ForgetBroken(error);
                throw PostgresErrors.AppendInFlight(error);
            }
        }
    }

    private async Task<List<RunSlot>> SlotsAsync(List<AppendUnit> units, CancellationToken cancellationToken)
    {
        var slots = new List<RunSlot>(units.Count);
        for (int i = 0; i < units.Count; i++)
        {
            for (int r = 0; r < units[i].Runs.Count; r++)
            {
                AppendRun run = units[i].Runs[r];
                bool creates = run.ExpectedVersion == AgentVersion.None;
                long streamId = creates ? await streamIds.NextAsync(cancellationToken).ConfigureAwait(false) : run.Handle.StoreKey;
                slots.Add(new RunSlot(run, i + 1, streamId));
            }
        }
        return slots;
    }

    /// <summary>From here on the append may be in flight, but for the exceptions of opening the connection.</summary>
    private async Task<long[]> SendAsync(AppendArguments arguments, bool together, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await sessions.OpenForAppendAsync(cancellationToken).ConfigureAwait(false);
        string sql = arguments.Index is null
            ? together ? SqlText.AppendUnits : SqlText.Append
            : together ? SqlText.AppendUnitsIndexed : SqlText.AppendIndexed;
        await using var command = new NpgsqlCommand(sql, connection);
        arguments.AddTo(command);
        if (together)
            arguments.AddUnitsTo(command);
        arguments.Index?.AddTo(command);
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        Task<object?> answer = command.ExecuteScalarAsync(cancellationToken);
        onCrashPoint?.Invoke(CrashPoint.AfterSend);
        return (long[])(await answer.ConfigureAwait(false))!;
    }

    /// <summary>After this, every unit but the refused ones has its outcome, whatever is thrown.</summary>
    private async Task WriteOneByOneAsync(List<AppendUnit> units, CancellationToken cancellationToken)
    {
        InvariantBrokenException? first = null;
        foreach (AppendUnit unit in units)
        {
            try
            {
                await WriteTogetherAsync([unit], cancellationToken).ConfigureAwait(false);
            }
            catch (RefusedDataException refused)
            {
                first ??= refused.Reason;
            }
        }
        if (first is not null)
            throw first;
    }

    /// <summary>Never leaves this class.</summary>
    private sealed class RefusedDataException(Exception inner) : Exception(null, inner)
    {
        public InvariantBrokenException Reason { get; } = PostgresErrors.RefusedData(inner);
    }
}
