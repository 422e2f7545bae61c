namespace Statehouse.Journal.Sqlite;

/// <summary>SH-2001. The journal cannot be opened. The message is one sentence for the operator: what, where, and the cure.</summary>
public sealed class JournalOpenException(string message, Exception? inner = null)
    : StatehouseException(ErrorCode.JournalUnavailable, message, inner);
