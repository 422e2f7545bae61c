namespace Statehouse.Cli;

/// <summary>How commits are printed: as the server's JSON, or as lines for people.</summary>
internal static class CommitPrinter
{
    /// <param name="session">Says which, and where to.</param>
    /// <param name="verbose">Only for people: JSON always holds everything.</param>
    public static Action<string, CommitText> For(Session session, bool verbose)
    {
        OutputWriter output = session.Terminal.Out;
        if (session.Json)
            return (_, commit) => output.JsonLine(commit.Raw.Span);
        return new ReplayLines(session, verbose).Write;
    }
}
