using Statehouse.Journal;

namespace Statehouse.Gateway;

internal static class ContentTypes
{
    /// <summary>JSON, or nothing said. Also keeps a web page's form from posting to a server on this machine.</summary>
    /// <exception cref="HttpRefusal">415.</exception>
    public static void MustBeJson(HttpRequest request)
    {
        string? given = request.ContentType;
        if (string.IsNullOrEmpty(given))
            return;
        ReadOnlySpan<char> mediaType = given.AsSpan();
        int parameters = mediaType.IndexOf(';');
        if (parameters >= 0)
            mediaType = mediaType[..parameters];
        if (!mediaType.Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase))
            throw new HttpRefusal(
                415, ErrorCode.InvalidArgument, $"Content-Type must be application/json; this is {Query.Shown(given)}.");
    }
}
