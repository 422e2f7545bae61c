namespace Statehouse.Grains.Tests;

/// <summary>One of each class that a call may throw, never thrown, so that no stack gets into their bytes. Their bytes are checked in.</summary>
internal static class ExceptionSamples
{
    private static readonly Dictionary<string, string> Details = new() { ["field"] = "value", ["limit"] = "1048576", ["empty"] = "" };

    public static readonly IReadOnlyDictionary<string, StatehouseException> All = new Dictionary<string, StatehouseException>
    {
        ["Exception.refused"] = new RefusedException(ErrorCode.LimitExceeded, "value is 2; the limit is 1.") { Details = Details },
        ["Exception.refused-trimmed"] = new RefusedException(ErrorCode.HistoryTrimmed, "That was trimmed."),
        ["Exception.conflict"] = new StateConflictException("The version of key \"ü\" is 3.") { Details = Details },
        ["Exception.trimmed"] = new HistoryTrimmedException("Trimmed up to 7."),
        ["Exception.unavailable"] = new JournalUnavailableException("No route.", new IOException("Broken pipe", new TimeoutException("5 s"))),
        ["Exception.unknown"] = new JournalOutcomeUnknownException("Gone in mid-write.", new JournalUnavailableException("No route.")),
        ["Exception.busy"] = new JournalBusyException("Too many wait.") { Details = Details },
        ["Exception.broken"] = new InvariantBrokenException("The hash differs."),
        ["Exception.other-class-known-code"] = new HomemadeException(ErrorCode.NotFound, "Not here.") { Details = Details },
        ["Exception.other-class-fault-code"] = new HomemadeException(ErrorCode.Busy, "Later."),
        ["Exception.other-code"] = new HomemadeException((ErrorCode)2999, "Not of this version.", new InvalidOperationException("why")) { Details = Details },
    };

    public static Type ArrivesAs(string name) => name switch
    {
        "Exception.other-class-known-code" => typeof(RefusedException),
        "Exception.other-class-fault-code" => typeof(JournalBusyException),
        "Exception.other-code" => typeof(RemoteStatehouseException),
        _ => All[name].GetType(),
    };

    /// <summary>A class that only the sender has.</summary>
    internal sealed class HomemadeException(ErrorCode code, string message, Exception? inner = null)
        : StatehouseException(code, message, inner);
}
