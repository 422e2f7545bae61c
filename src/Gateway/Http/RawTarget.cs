namespace Statehouse.Gateway;

/// <summary>
/// A request target as it came over the wire, cut at <c>/</c> and <c>?</c> before anything is decoded: an encoded
/// slash stays inside its segment, and dot segments are ids like any other (I8).
/// </summary>
/// <param name="raw">For instance <c>/v1/namespaces/default/agents/a%2Fb?limit=3</c>, or the same with scheme and host.</param>
internal readonly struct RawTarget(string raw)
{
    /// <summary>More than any route has; a longer path is no route of ours.</summary>
    public const int SegmentsMax = 16;

    private readonly string _raw = raw;
    private readonly int _pathStart = PathStart(raw);

    public ReadOnlySpan<char> Path
    {
        get
        {
            ReadOnlySpan<char> fromPath = _raw.AsSpan(_pathStart);
            int query = fromPath.IndexOf('?');
            return query < 0 ? fromPath : fromPath[..query];
        }
    }

    /// <summary>What follows the first <c>?</c>; empty where there is none.</summary>
    public ReadOnlySpan<char> QueryText
    {
        get
        {
            int query = _raw.AsSpan(_pathStart).IndexOf('?');
            return query < 0 ? default : _raw.AsSpan(_pathStart + query + 1);
        }
    }

    /// <summary>Cuts the path into segments, still encoded.</summary>
    /// <param name="segments">Room for <see cref="SegmentsMax"/>; ranges of <see cref="Path"/>.</param>
    /// <returns>How many; 0 where the path has more or does not start with a slash.</returns>
    public int Split(Span<Range> segments)
    {
        ReadOnlySpan<char> path = Path;
        if (path.IsEmpty || path[0] != '/')
            return 0;
        int count = 0;
        int start = 1;
        for (int i = 1; i <= path.Length; i++)
        {
            if (i < path.Length && path[i] != '/')
                continue;
            if (count == SegmentsMax)
                return 0;
            segments[count++] = start..i;
            start = i + 1;
        }
        return count;
    }

    /// <summary>One segment of a path that has it, still encoded.</summary>
    public ReadOnlySpan<char> Segment(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ReadOnlySpan<char> rest = Path[1..];
        for (int before = 0; before < index; before++)
            rest = rest[(rest.IndexOf('/') + 1)..];
        int end = rest.IndexOf('/');
        return end < 0 ? rest : rest[..end];
    }

    /// <summary>Proxies send <c>GET http://host/path</c>; the path starts after the authority.</summary>
    private static int PathStart(string raw)
    {
        if (raw.StartsWith('/'))
            return 0;
        int authority = raw.IndexOf("://", StringComparison.Ordinal);
        if (authority < 0)
            return 0;
        int path = raw.AsSpan(authority + 3).IndexOfAny('/', '?');
        return path < 0 ? raw.Length : authority + 3 + path;
    }
}
