namespace Statehouse.Gateway;

/// <summary>One route: what it answers to and what answers.</summary>
/// <param name="Method">GET, PUT, POST or DELETE. A GET also answers HEAD.</param>
/// <param name="Template">Literal segments and placeholders, as in <c>openapi.json</c>: <c>/v1/namespaces/{ns}/agents</c>.</param>
/// <param name="Handle">Answers, or throws what <see cref="ProblemWriter"/> knows to answer.</param>
/// <param name="Query">The query parameters that it knows; any other is refused.</param>
internal sealed record ApiRoute(string Method, string Template, Func<Call, ValueTask> Handle, params string[] Query)
{
    /// <summary>Those of <see cref="Query"/> that may be given several times.</summary>
    public string[] Repeatable { get; init; } = [];

    /// <summary>It is answered also while the server is being taken down: who watches it must see that.</summary>
    public bool OutlastsDrain { get; init; }

    /// <summary>The template's segments; a placeholder is null here and its name in <see cref="Placeholders"/>.</summary>
    public string?[] Literals { get; } = [.. Segments(Template).Select(segment => IsPlaceholder(segment) ? null : segment)];

    /// <summary>Names by segment; null where the segment is literal.</summary>
    public string?[] Placeholders { get; } = [.. Segments(Template).Select(segment => IsPlaceholder(segment) ? segment[1..^1] : null)];

    public bool Matches(ReadOnlySpan<char> path, ReadOnlySpan<Range> segments)
    {
        if (segments.Length != Literals.Length)
            return false;
        for (int i = 0; i < segments.Length; i++)
        {
            if (Literals[i] is { } literal && !path[segments[i]].SequenceEqual(literal))
                return false;
        }
        return true;
    }

    private static string[] Segments(string template) => template[1..].Split('/');

    private static bool IsPlaceholder(string segment) => segment.StartsWith('{');
}
