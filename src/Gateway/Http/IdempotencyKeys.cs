using Microsoft.Extensions.Primitives;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>An idempotency key may come as a header or in the body; both only where they agree.</summary>
internal static class IdempotencyKeys
{
    public const string Header = "Idempotency-Key";

    /// <exception cref="RefusedException">SH-1003: more than one header.</exception>
    public static string? FromHeader(HttpRequest request)
    {
        StringValues values = request.Headers[Header];
        return values.Count switch
        {
            0 => null,
            1 => values[0],
            _ => throw RefusedException.Invalid(Header, "given once", "given several times"),
        };
    }

    /// <exception cref="RefusedException">SH-1003: both are given and differ.</exception>
    public static string? Merge(string? fromBody, string? fromHeader)
    {
        if (fromBody is not null && fromHeader is not null && fromBody != fromHeader)
            throw RefusedException.Invalid("idempotency_key", $"the same as the {Header} header", "another one");
        return fromBody ?? fromHeader;
    }
}
