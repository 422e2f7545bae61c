namespace Statehouse.Cli;

/// <summary>Where a server listens, as people write it.</summary>
internal static class ServerAddress
{
    /// <param name="text"><c>http://host:port</c>, with a path where a proxy adds one, or just <c>host:port</c>.</param>
    /// <returns>Without a slash at its end.</returns>
    /// <exception cref="CommandFailure">Usage.</exception>
    public static string Parse(string text)
    {
        string full = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        if (!Uri.TryCreate(full, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0
            || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw CommandFailure.Usage($"--server must be a URL like http://127.0.0.1:8080; this is '{text}'.");
        }
        return uri.AbsoluteUri.TrimEnd('/');
    }
}
