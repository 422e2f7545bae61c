namespace Statehouse.LocalCluster;

/// <summary>HTTP to the cluster's own processes.</summary>
internal static class LoopbackHttp
{
    private const int ShownMax = 300;

    /// <param name="bound">Of one answer.</param>
    public static HttpClient Create(TimeSpan bound) =>
        // A proxy that the environment names cannot reach our loopback.
        new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = bound, MaxResponseContentBufferSize = 1024 * 1024 };

    /// <summary>The beginning of an answer, on one line.</summary>
    public static string Shown(string body)
    {
        string line = string.Concat(body.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();
        return line.Length > ShownMax ? line[..ShownMax] + "…" : line;
    }
}
