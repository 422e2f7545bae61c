using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>feed</c>: commits of all agents in commit_ts order, and with <c>-f</c> each new one.</summary>
internal static class FeedCommand
{
    private const int PageSize = 200;

    public static Command Build(CommonOptions common)
    {
        Option<long?> after = Parts.Number("--after", "After this commit_ts; default 0, the start", 0);
        Option<long?> limit = Parts.Number("--limit", "At most this many commits", 1);
        var everywhere = new Option<bool>("--all-namespaces", "-A") { Description = "Agents of every namespace" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with each new commit" };
        Option<long?> retry = TailCommand.Retry();
        var verbose = new Option<bool>("--verbose", "-v") { Description = "A line for each commit too, and values in full" };
        var command = new Command("feed", "Print the commits of all agents, in the order of their transactions")
        {
            after, limit, everywhere, follow, retry, verbose,
        };
        common.SetAction(command, (session, parsed) =>
        {
            bool all = parsed.GetValue(everywhere);
            var printer = new FeedPrinter(CommitPrinter.For(session, parsed.GetValue(verbose)), all, parsed.GetValue(limit) ?? long.MaxValue);
            string? @namespace = all ? null : session.Namespace;
            long from = parsed.GetValue(after) ?? 0;
            return parsed.GetValue(follow)
                ? FollowAsync(session, printer, from, @namespace, TailCommand.RetryBound(parsed.GetValue(retry)))
                : ReadAsync(session, printer, from, @namespace);
        });
        return command;
    }

    private static async Task<int> ReadAsync(Session session, FeedPrinter printer, long after, string? @namespace)
    {
        string PathOf(PageEnd? end) => AgentPath.WithQuery(
            "/v1/feed", ("after", end?["next"] ?? (object)after), ("limit", PageSize), ("namespace", @namespace));
        await foreach (ReadOnlyMemory<byte> item in session.Api.ReadPagesAsync(PathOf, session.Ending))
        {
            if (!printer.Write(CommitText.Parse(item)))
                break;
        }
        return ExitCode.Ok;
    }

    private static async Task<int> FollowAsync(Session session, FeedPrinter printer, long after, string? @namespace, TimeSpan retryBound)
    {
        string path = AgentPath.WithQuery("/v1/feed", ("after", after), ("namespace", @namespace));
        var follower = new Follower(session, path, retryBound, TimeProvider.System);
        await foreach (ReadOnlyMemory<byte> data in follower.EventsAsync(session.Ending))
        {
            bool goesOn = printer.Write(CommitText.Parse(data));
            session.Terminal.Out.Flush();
            if (!goesOn)
                break;
        }
        return ExitCode.Ok;
    }

    /// <summary>Prints commits up to a number of them; names the namespace where several mix.</summary>
    private sealed class FeedPrinter(Action<string, CommitText> write, bool namesNamespace, long limit)
    {
        private long _left = limit;

        /// <returns>False where that was the last one wanted.</returns>
        public bool Write(CommitText commit)
        {
            write(namesNamespace ? $"{commit.Namespace}/{commit.Agent}" : commit.Agent ?? "", commit);
            return --_left > 0;
        }
    }
}
