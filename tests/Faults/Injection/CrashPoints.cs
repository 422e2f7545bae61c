using Statehouse.Journal;

namespace Statehouse.Faults.Injection;

/// <summary>The points at which a server is told to kill itself during a run: those that come up while it starts, serves and stops.</summary>
internal static class CrashPoints
{
    /// <summary>When it starts, or when it is told to stop.</summary>
    public static readonly IReadOnlySet<CrashPoint> OncePerProcess = new HashSet<CrashPoint>
    {
        CrashPoint.WhileOpening, CrashPoint.WhileDraining, CrashPoint.BeforeHandover, CrashPoint.InJournalDrain,
    };

    public static readonly IReadOnlySet<CrashPoint> OfEachCommit = new HashSet<CrashPoint>
    {
        CrashPoint.AfterDecide, CrashPoint.BeforeAppend, CrashPoint.AfterInsertBeforeCommit, CrashPoint.AfterSend, CrashPoint.AfterCommitBeforeReply,
    };

    public static IReadOnlyList<CrashPoint> OfSqlite { get; } =
    [
        CrashPoint.AfterDecide, CrashPoint.BeforeAppend, CrashPoint.AfterInsertBeforeCommit, CrashPoint.AfterCommitBeforeReply, CrashPoint.InSnapshot,
        CrashPoint.InThinning, CrashPoint.BetweenHolds, CrashPoint.BeforeParticipantsAreTold, CrashPoint.BetweenParticipants, CrashPoint.WhileOpening,
        CrashPoint.InLoad, CrashPoint.WhileDraining, CrashPoint.InJournalDrain,
    ];

    public static IReadOnlyList<CrashPoint> OfPostgres { get; } =
        [.. OfSqlite.Where(point => point != CrashPoint.AfterInsertBeforeCommit), CrashPoint.AfterSend];

    public static IReadOnlyList<CrashPoint> OfASilo { get; } = [.. OfPostgres, CrashPoint.BeforeHandover];
}
