using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>tail</c>: an agent's newest commits, and with <c>-f</c> each new one as soon as it is durable.</summary>
internal static class TailCommand
{
    private const long CountDefault = 10;
    private const long RetrySecondsDefault = 300;

    public static Command Build(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        Option<long?> count = Parts.Number("--number", $"How many commits of the past; default {CountDefault}", 0, "-n");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with each new commit, also of an agent that has none yet" };
        Option<long?> retry = Retry();
        var verbose = new Option<bool>("--verbose", "-v") { Description = "A line for each commit too, and values in full" };
        var command = new Command("tail", "Print an agent's newest commits") { agent, count, follow, retry, verbose };
        common.SetAction(command, async (session, parsed) =>
        {
            AgentPath path = session.Agent(parsed.GetRequiredValue(agent));
            Action<string, CommitText> write = CommitPrinter.For(session, parsed.GetValue(verbose));
            bool follows = parsed.GetValue(follow);
            HeadText? head = follows ? await HeadText.FindAsync(session, path) : await HeadText.ReadAsync(session, path);
            long from = head is null ? 1 : Math.Max(head.FirstVersion, head.Version + 1 - (parsed.GetValue(count) ?? CountDefault));
            if (follows)
                return await FollowAsync(session, path, from, RetryBound(parsed.GetValue(retry)), write);
            await foreach (CommitText commit in History.ReadAsync(session, path, from, head!.Version, session.Ending))
                write(path.Agent, commit);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>How long a follower looks for a server that has gone away.</summary>
    public static Option<long?> Retry() =>
        Parts.Number("--retry-for", $"With -f: seconds to look for a server that went away; default {RetrySecondsDefault}", 0);

    public static TimeSpan RetryBound(long? seconds) => TimeSpan.FromSeconds(Math.Min(seconds ?? RetrySecondsDefault, int.MaxValue));

    private static async Task<int> FollowAsync(
        Session session, AgentPath path, long from, TimeSpan retryBound, Action<string, CommitText> write)
    {
        var follower = new Follower(session, AgentPath.WithQuery(path.Commits, ("from", from)), retryBound, TimeProvider.System);
        long seen = from - 1;
        await foreach (ReadOnlyMemory<byte> data in follower.EventsAsync(session.Ending))
        {
            CommitText commit = CommitText.Parse(data);
            if (commit.Version != seen + 1)
                throw CommandFailure.Refused($"version {seen + 1} was expected after {seen}, but {commit.Version} came: was the journal restored?");
            seen = commit.Version;
            write(path.Agent, commit);
            // Whoever follows wants to see it now.
            session.Terminal.Out.Flush();
        }
        return ExitCode.Ok;
    }
}
