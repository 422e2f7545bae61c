using System.Buffers;

namespace Statehouse.Gateway;

/// <summary>The id that ties a reply, its log lines and the caller's own traces together.</summary>
internal static class RequestIds
{
    public const string Header = "X-Request-Id";

    private const int CharsMax = 128;

    private static readonly SearchValues<char> Sane =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    /// <summary>The caller's id where it cannot hurt a log line, else one of our own.</summary>
    public static string For(HttpContext http)
    {
        string? given = http.Request.Headers[Header];
        return given is { Length: > 0 and <= CharsMax } && given.AsSpan().IndexOfAnyExcept(Sane) < 0
            ? given
            : http.TraceIdentifier;
    }
}
