using SQLitePCL;

namespace Statehouse.Journal.Sqlite.Errors;

/// <summary>What SQLite answered instead of OK. Never leaves this project: <see cref="SqliteErrors"/> says what it means.</summary>
internal sealed class SqliteFailure(int code, int extendedCode, string message)
    : Exception($"SQLite error {extendedCode}: {message}")
{
    /// <summary>For instance SQLITE_IOERR.</summary>
    public int Code { get; } = PrimaryCodeOf(code);

    /// <summary>The same in detail, for instance SQLITE_IOERR_FSYNC.</summary>
    public int ExtendedCode { get; } = extendedCode;

    /// <summary>The file holds what SQLite never wrote.</summary>
    public bool IsDamage => Code is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_FORMAT;

    /// <summary>In a COMMIT: the commit may have reached the disk before the disk failed.</summary>
    public bool LeavesCommitInDoubt => Code is raw.SQLITE_IOERR;

    public static int PrimaryCodeOf(int code) => code & 0xFF;
}
