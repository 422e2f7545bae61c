using System.Runtime.CompilerServices;

namespace Statehouse.Cli;

/// <summary>An agent's commits, read in pages while they are used.</summary>
internal static class History
{
    /// <summary>Of a page: few enough that the server never holds much for one, enough that round trips do not count.</summary>
    private const int PageSize = 200;

    /// <param name="session">The server.</param>
    /// <param name="agent">Whose.</param>
    /// <param name="from">The first version, inclusive.</param>
    /// <param name="to">The last version, inclusive; history may have grown beyond it.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <remarks>A commit's text holds until the next one is asked for.</remarks>
    public static async IAsyncEnumerable<CommitText> ReadAsync(
        Session session, AgentPath agent, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (to < from)
            yield break;
        string PathOf(PageEnd? end) =>
            AgentPath.WithQuery(agent.Commits, ("from", end?["next"] ?? (object)from), ("to", to), ("limit", PageSize));
        await foreach (ReadOnlyMemory<byte> item in session.Api.ReadPagesAsync(PathOf, cancellationToken))
            yield return CommitText.Parse(item);
    }

    /// <summary>The first version whose commit_ts is at least this, by bisection: commit_ts grows along an agent.</summary>
    /// <returns>head + 1 where all are below.</returns>
    public static async Task<long> FirstAtOrAfterAsync(Session session, AgentPath agent, HeadText head, long commitTs)
    {
        long low = head.FirstVersion;
        long high = head.Version + 1;
        while (low < high)
        {
            long middle = low + ((high - low) / 2);
            CommitText commit = CommitText.Parse(await session.Api.GetAsync(agent.Commit(middle), session.Ending));
            if (commit.CommitTs >= commitTs)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
