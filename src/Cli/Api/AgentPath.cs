using System.Globalization;
using System.Text;

namespace Statehouse.Cli;

/// <summary>The routes of one agent. Every segment is percent-encoded on its own, so that no id reads as two (I8).</summary>
internal sealed record AgentPath(string Namespace, string Agent)
{
    public string Head => $"/v1/namespaces/{Segment("--namespace", Namespace)}/agents/{Segment("AGENT", Agent)}";

    public string State => Head + "/state";

    public string Commits => Head + "/commits";

    public string Key(string key) => $"{State}/{Segment("KEY", key)}";

    public string Commit(long version) => $"{Commits}/{version.ToString(CultureInfo.InvariantCulture)}";

    public static string AgentsOf(string @namespace) => $"/v1/namespaces/{Segment("--namespace", @namespace)}/agents";

    /// <summary><c>path?a=b&amp;c=d</c>, without what is null.</summary>
    public static string WithQuery(string path, params ReadOnlySpan<(string Name, object? Value)> query)
    {
        var text = new StringBuilder(path);
        char separator = '?';
        foreach ((string name, object? value) in query)
        {
            if (value is null)
                continue;
            string shown = Convert.ToString(value, CultureInfo.InvariantCulture)!;
            text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(shown));
            separator = '&';
        }
        return text.ToString();
    }

    /// <summary>An id of dots alone is encoded too: as a path segment it would mean another path.</summary>
    internal static string Segment(string what, string id)
    {
        if (id.Length == 0)
            throw CommandFailure.Usage($"{what} must not be empty.");
        return id is "." or ".." ? id.Replace(".", "%2E", StringComparison.Ordinal) : Uri.EscapeDataString(id);
    }
}
