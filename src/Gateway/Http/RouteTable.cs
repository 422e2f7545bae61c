using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>All routes. A path that several methods share is told apart here, so 405 and Allow cannot be forgotten.</summary>
internal sealed class RouteTable
{
    private readonly ApiRoute[][] _bySegments = [.. Enumerable.Repeat<ApiRoute[]>([], RawTarget.SegmentsMax + 1)];

    private readonly string _noSuchRoute;

    /// <param name="routes">All of them.</param>
    /// <param name="noSuchRoute">What a caller is told whose path none of them has.</param>
    public RouteTable(IEnumerable<ApiRoute> routes, string noSuchRoute)
    {
        _noSuchRoute = noSuchRoute;
        All = [.. routes];
        foreach (IGrouping<int, ApiRoute> sameLength in All.GroupBy(route => route.Literals.Length))
            _bySegments[sameLength.Key] = [.. sameLength];
    }

    public IReadOnlyList<ApiRoute> All { get; }

    /// <param name="method">As it came; HEAD finds the GET.</param>
    /// <param name="path">Still encoded.</param>
    /// <param name="segments">Ranges of <paramref name="path"/>.</param>
    /// <exception cref="HttpRefusal">404: no route has this path; 405: none that has it takes this method.</exception>
    public ApiRoute Find(string method, ReadOnlySpan<char> path, ReadOnlySpan<Range> segments)
    {
        string wanted = method == "HEAD" ? "GET" : method;
        foreach (ApiRoute route in _bySegments[segments.Length])
        {
            if (route.Method == wanted && route.Matches(path, segments))
                return route;
        }
        throw NotFound(method, path, segments);
    }

    private HttpRefusal NotFound(string method, ReadOnlySpan<char> path, ReadOnlySpan<Range> segments)
    {
        var allowed = new List<string>();
        foreach (ApiRoute route in _bySegments[segments.Length])
        {
            if (!route.Matches(path, segments))
                continue;
            allowed.Add(route.Method);
            if (route.Method == "GET")
                allowed.Add("HEAD");
        }
        if (allowed.Count == 0)
            return new HttpRefusal(404, ErrorCode.NotFound, _noSuchRoute);
        string allow = string.Join(", ", allowed);
        return new HttpRefusal(405, ErrorCode.InvalidArgument, $"This route takes {allow}; this is {Query.Shown(method).Trim('"')}.")
        {
            Allow = allow,
        };
    }
}
