using Microsoft.Extensions.Primitives;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>What a reconnecting client saw last.</summary>
internal static class LastEventId
{
    public const string Header = "Last-Event-ID";

    /// <returns>null where the client starts anew; browsers send an empty one then.</returns>
    /// <exception cref="RefusedException">SH-1003: more than one header.</exception>
    public static string? Of(HttpRequest request)
    {
        StringValues values = request.Headers[Header];
        if (values.Count > 1)
            throw RefusedException.Invalid(Header, "given once", "given several times");
        return values.Count == 0 || string.IsNullOrEmpty(values[0]) ? null : values[0];
    }
}
