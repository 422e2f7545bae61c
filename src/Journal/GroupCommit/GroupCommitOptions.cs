namespace Statehouse.Journal.GroupCommit;

/// <summary>The bounds of the group-commit writer.</summary>
public sealed record GroupCommitOptions
{
    /// <summary>Commits in one database round trip. More pays little and makes every caller of the batch wait longer.</summary>
    public int CommitsPerBatchMax { get; init; } = 1000;

    /// <summary>Bytes of commit bodies in one round trip; one larger commit still goes, alone.</summary>
    public long BytesPerBatchMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Units waiting in one lane before <see cref="IAppendQueue.TryAppend"/> says no: about a second's work.</summary>
    public int QueuedUnitsMax { get; init; } = 16_384;

    /// <summary>Bytes of bodies waiting in one lane; bounds memory where commits are large.</summary>
    public long QueuedBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>How long <see cref="IAppendQueue.WaitForRoomAsync"/> waits before SH-2003.</summary>
    public TimeSpan BusyPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told when this process comes to a <see cref="CrashPoint"/>; fault tests end it there. Default null: nobody.</summary>
    public Action<CrashPoint>? OnCrashPoint { get; init; }
}
