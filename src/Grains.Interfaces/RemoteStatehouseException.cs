using Statehouse.Journal;
using ErrorCode = Statehouse.Journal.ErrorCode;

namespace Statehouse.Grains;

/// <summary>An error of a silo that is newer than this process: with a code that is not known here.</summary>
public sealed class RemoteStatehouseException(ErrorCode code, string message, Exception? inner = null)
    : StatehouseException(code, message, inner);
