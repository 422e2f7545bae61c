using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>SH-2001, as it was asked to stop: nothing failed, so no operator needs to read of it.</summary>
internal sealed class ServerStoppingException()
    : StatehouseException(ErrorCode.JournalUnavailable, "The server is stopping. Nothing was written; ask another one, or again shortly.");
