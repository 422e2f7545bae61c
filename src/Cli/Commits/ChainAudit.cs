using System.Globalization;
using System.Runtime.CompilerServices;

namespace Statehouse.Cli;

/// <summary>Where an agent's chain is said to end, and to begin.</summary>
/// <param name="Version">The last commit.</param>
/// <param name="FirstVersion">The oldest commit still kept.</param>
/// <param name="Hash">Of the last commit.</param>
internal sealed record ChainEnd(long Version, long FirstVersion, string Hash);

/// <summary>What an audit found.</summary>
/// <param name="Path">Whose chain.</param>
/// <param name="End">Where it is said to end.</param>
/// <param name="Commits">How many commits hold.</param>
/// <param name="LastHash">Of the last commit that holds.</param>
/// <param name="BrokenAt">The version in question where something is wrong.</param>
/// <param name="Fault">What is wrong; null where all holds.</param>
internal sealed record ChainVerdict(AgentPath Path, ChainEnd End, long Commits, string LastHash, long BrokenAt, string? Fault);

/// <summary>
/// Recomputes an agent's whole chain from its history. A server that finds an agent damaged refuses to serve it
/// (SH-9001) and mostly says at which version; where it does not, the agent's commits are picked out of the feed.
/// </summary>
internal static class ChainAudit
{
    private const int ReportEvery = 500;
    private const int FeedPage = 200;
    private const string BrokenInvariant = "SH-9001";

    /// <exception cref="ServerProblem">SH-1007: the agent has no commit.</exception>
    public static async Task<ChainVerdict> RunAsync(Session session, AgentPath path)
    {
        try
        {
            HeadText head = await HeadText.ReadAsync(session, path);
            var end = new ChainEnd(head.Version, head.FirstVersion, head.Hash);
            return await VerdictAsync(session, path, end, History.ReadAsync(session, path, end.FirstVersion, end.Version, session.Ending));
        }
        catch (ServerProblem problem) when (problem.Code == BrokenInvariant)
        {
            return await RefusedAsync(session, path, problem);
        }
    }

    /// <summary>Something is wrong, since the server says so.</summary>
    private static async Task<ChainVerdict> RefusedAsync(Session session, AgentPath path, ServerProblem problem)
    {
        if (VersionNamed(path, problem) is { } version)
            return await BrokenAtAsync(session, path, version, problem);
        session.Terminal.Note($"the server does not serve this agent: {problem.Message}; looking for its commits in the feed");
        try
        {
            return await FromFeedAsync(session, path, problem);
        }
        catch (ServerProblem feed) when (VersionNamed(path, feed) is { } found)
        {
            return await BrokenAtAsync(session, path, found, feed);
        }
    }

    private static async Task<ChainVerdict> BrokenAtAsync(Session session, AgentPath path, long version, ServerProblem problem)
    {
        ChainEnd end = await FindListedAsync(session, path) ?? new ChainEnd(version, 1, "");
        return new ChainVerdict(path, end, version - 1, "", version, problem.Message);
    }

    /// <summary>The version of this agent that a refusal's details name; null where they name none, or another agent.</summary>
    private static long? VersionNamed(AgentPath path, ServerProblem problem) =>
        problem.Code == BrokenInvariant && problem.Detail("agent") == path.Agent && problem.Detail("namespace") == path.Namespace
        && long.TryParse(problem.Detail("agent_version"), NumberStyles.None, CultureInfo.InvariantCulture, out long version)
            ? version
            : null;

    /// <summary>As far as the feed shows them, the agent's commits are checked here.</summary>
    private static async Task<ChainVerdict> FromFeedAsync(Session session, AgentPath path, ServerProblem problem)
    {
        ChainEnd? end = await FindListedAsync(session, path);
        long to = end?.Version ?? long.MaxValue;
        IAsyncEnumerable<CommitText> commits = FeedCommitsAsync(session, path, to, session.Ending);
        ChainVerdict verdict = await VerdictAsync(session, path, end ?? new ChainEnd(to, 1, ""), commits);
        if (verdict.Commits == 0 && end is null)
            throw problem;
        // Without a known end, that the commits are over is no fault of theirs.
        string? fault = end is null && verdict.BrokenAt == verdict.Commits + 1 && verdict.Fault == Missing(to) ? null : verdict.Fault;
        long at = fault is null ? verdict.Commits : verdict.BrokenAt;
        return verdict with
        {
            End = end ?? new ChainEnd(verdict.Commits, 1, verdict.LastHash),
            BrokenAt = at,
            Fault = fault ?? $"its commits hold up to here, but the server does not serve it: {problem.Message}",
        };
    }

    private static Task<ChainVerdict> VerdictAsync(Session session, AgentPath path, ChainEnd end, IAsyncEnumerable<CommitText> commits) =>
        ProgressBar.RunAsync(session.Terminal, "verifying", end.Version - end.FirstVersion + 1, async done =>
        {
            var chain = new ChainCheck(path.Namespace, path.Agent, end.FirstVersion);
            string? fault = await FaultAsync(chain, end, commits, done);
            // A head that does not fit is found when all its commits were seen: then the last of them is in question.
            return new ChainVerdict(path, end, chain.Count, chain.Hash, Math.Min(chain.Next, end.Version), fault);
        });

    private static async Task<string?> FaultAsync(ChainCheck chain, ChainEnd end, IAsyncEnumerable<CommitText> commits, Action<long> done)
    {
        await foreach (CommitText commit in commits)
        {
            if (chain.Fault(commit) is { } fault)
                return fault;
            if (chain.Count % ReportEvery == 0)
                done(ReportEvery);
        }
        if (chain.Next != end.Version + 1)
            return Missing(end.Version);
        return chain.Hash == end.Hash ? null : $"the head's hash is {end.Hash}, but the chain ends with {chain.Hash}";
    }

    private static string Missing(long version) =>
        string.Create(CultureInfo.InvariantCulture, $"it is missing, though the head says that there are {version} versions");

    /// <summary>The list of agents says where each journal ends without loading the agent.</summary>
    /// <returns>null where it does not stand there, or where the list refuses too.</returns>
    private static async Task<ChainEnd?> FindListedAsync(Session session, AgentPath path)
    {
        // In byte order, an id comes before all others that begin with it.
        string first = AgentPath.WithQuery(AgentPath.AgentsOf(path.Namespace), ("prefix", path.Agent), ("limit", 1));
        try
        {
            await foreach (ReadOnlyMemory<byte> item in session.Api.ReadPagesAsync(_ => first, session.Ending))
                return JsonMember.FindString(item, "agent") == path.Agent ? ListedEnd(item) : null;
            return null;
        }
        catch (ServerProblem problem) when (problem.Code == BrokenInvariant)
        {
            return null;
        }
    }

    private static ChainEnd ListedEnd(ReadOnlyMemory<byte> item)
    {
        string version = System.Text.Encoding.ASCII.GetString(JsonMember.Text(item, "version").Span);
        return new ChainEnd(
            long.Parse(version, NumberStyles.None, CultureInfo.InvariantCulture), 1, JsonMember.FindString(item, "hash") ?? "");
    }

    /// <summary>The agent's commits up to a version, out of those of its whole namespace.</summary>
    private static async IAsyncEnumerable<CommitText> FeedCommitsAsync(
        Session session, AgentPath path, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = "0";
        string PathOf(PageEnd? end) =>
            AgentPath.WithQuery("/v1/feed", ("after", end?["next"] ?? after), ("limit", FeedPage), ("namespace", path.Namespace));
        while (after is not null)
        {
            await using IAsyncEnumerator<ReadOnlyMemory<byte>> items =
                session.Api.ReadPagesAsync(PathOf, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await items.MoveNextAsync())
                        yield break;
                }
                catch (ServerProblem problem) when (DamageOfOthers(path, problem) is { } position && position != after)
                {
                    after = position;
                    session.Terminal.Note($"the feed is damaged at {after}, not by this agent: going on behind it ({problem.Message})");
                    break;
                }
                CommitText commit = CommitText.Parse(items.Current);
                if (commit.Agent != path.Agent)
                    continue;
                if (commit.Version > to)
                    yield break;
                yield return commit;
            }
        }
    }

    /// <summary>The commit_ts of a transaction that the feed refuses for another agent's sake; null where it is something else.</summary>
    private static string? DamageOfOthers(AgentPath path, ServerProblem problem) =>
        problem.Code == BrokenInvariant && VersionNamed(path, problem) is null ? problem.Detail("commit_ts") : null;
}
