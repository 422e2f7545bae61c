namespace Statehouse.Client;

/// <summary>The server refused, failed, or did not answer.</summary>
/// <param name="message">What happened.</param>
/// <param name="code"><c>SH-nnnn</c>: docs/errors; null where no Statehouse server spoke.</param>
/// <param name="status">HTTP status; 0 where there was no answer.</param>
/// <param name="details">For programs: the field, the limit, the value seen.</param>
/// <param name="inner">Where it comes from.</param>
public class StatehouseException(
    string message, string? code = null, int status = 0, IReadOnlyDictionary<string, string>? details = null, Exception? inner = null)
    : Exception(code is null ? message : $"{code}: {message}", inner)
{
    public string? Code { get; } = code;

    public int Status { get; } = status;

    public IReadOnlyDictionary<string, string> Details { get; } = details ?? new Dictionary<string, string>();

    /// <summary>A write may or may not have happened: read before you decide again.</summary>
    public bool OutcomeUnknown { get; internal set; }

    /// <summary>The server or the way to it is in trouble, not the request: the same request may pass later.</summary>
    public bool IsFault => Code switch
    {
        null => Status is 0 or 429 or 502 or 503 or 504,
        _ => Code.StartsWith("SH-2", StringComparison.Ordinal),
    };

    public bool IsConflict => Code == "SH-1001";

    public bool IsNotFound => Code == "SH-1007";
}

/// <summary>SH-1001: another worker has the execution, or its lease is held and no token was given. Stop working on it.</summary>
public sealed class StaleTokenException(string message, int status, IReadOnlyDictionary<string, string> details)
    : StatehouseException(message, "SH-1001", status, details);
