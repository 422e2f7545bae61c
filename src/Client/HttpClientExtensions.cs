namespace Statehouse.Client;

/// <summary>Statehouse's executions on an <see cref="HttpClient"/>.</summary>
public static class HttpClientExtensions
{
    /// <summary>The executions of a namespace.</summary>
    /// <param name="http">Its <see cref="HttpClient.BaseAddress"/> says where the server listens; it stays the caller's to dispose of.</param>
    /// <param name="namespace">Whose.</param>
    /// <param name="options">null = the defaults.</param>
    public static ExecutionsClient Executions(this HttpClient http, string @namespace = "default", ExecutionsClientOptions? options = null) =>
        new(http, @namespace, options ?? new ExecutionsClientOptions());
}
