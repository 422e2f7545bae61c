using Statehouse.Journal;

namespace Statehouse.Gateway;

internal static class ContentTypes
{
    /// <summary>
    /// A body is JSON whatever its Content-Type says, so that <c>curl -d</c> works as it is. Only a browser must say so:
    /// it lets any web page post a form or plain text to a server on the user's own machine without asking, but asks
    /// before it sends <c>application/json</c>, and this server never agrees.
    /// </summary>
    /// <exception cref="HttpRefusal">415.</exception>
    public static void MustNotBeAForeignForm(HttpRequest request)
    {
        bool fromBrowser = request.Headers.Origin.Count > 0 || request.Headers.ContainsKey("Sec-Fetch-Site");
        if (fromBrowser && !IsJson(request.ContentType))
        {
            throw new HttpRefusal(
                415, ErrorCode.InvalidArgument,
                $"Content-Type must be application/json in a request from a browser; this is {Query.Shown(request.ContentType ?? "")}.");
        }
    }

    private static bool IsJson(string? contentType)
    {
        ReadOnlySpan<char> mediaType = contentType;
        int parameters = mediaType.IndexOf(';');
        if (parameters >= 0)
            mediaType = mediaType[..parameters];
        return mediaType.Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase);
    }
}
