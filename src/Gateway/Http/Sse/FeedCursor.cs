using System.Globalization;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>A commit of the feed with its place among the commits of its transaction.</summary>
/// <param name="Item">The commit.</param>
/// <param name="Index">0, 1, … among those of the transaction that this feed shows.</param>
/// <param name="IsLast">No more of the transaction follow.</param>
internal readonly record struct PlacedCommit(FeedCommit Item, int Index, bool IsLast)
{
    /// <summary>
    /// <c>&lt;commit_ts&gt;</c> on the last commit of a transaction, <c>&lt;commit_ts&gt;.&lt;index&gt;</c> on those
    /// before it: whoever stops in the middle of one goes on in the middle of it.
    /// </summary>
    public string EventId => IsLast
        ? Item.Commit.CommitTs.ToString()
        : string.Create(CultureInfo.InvariantCulture, $"{Item.Commit.CommitTs.Value}.{Index}");
}

/// <summary>Where a reader of the feed stands: after a whole transaction, or inside one.</summary>
/// <param name="CommitTs">The transaction it saw last; 0 = none.</param>
/// <param name="Index">The commit of that transaction that it saw last; null = all of them.</param>
/// <remarks>An index counts within one namespace filter: a reader that changes its filter must start from a whole position.</remarks>
internal readonly record struct FeedCursor(CommitTs CommitTs, int? Index)
{
    /// <summary>What to read the feed after: a transaction that was seen in part is read again whole.</summary>
    public CommitTs ReadAfter => Index is null ? CommitTs : new CommitTs(CommitTs.Value - 1);

    /// <param name="field">Named in a refusal.</param>
    /// <param name="text"><c>17</c> or <c>17.2</c>; null or empty = from the start.</param>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static FeedCursor Parse(string field, string? text)
    {
        if (string.IsNullOrEmpty(text))
            return default;
        ReadOnlySpan<char> position = text;
        int dot = position.IndexOf('.');
        if (dot < 0 && Query.TryNumber(position, out long whole))
            return new FeedCursor(new CommitTs(whole), null);
        if (dot > 0 && Query.TryNumber(position[..dot], out long commitTs) && commitTs > 0
            && Query.TryNumber(position[(dot + 1)..], out long index) && index < int.MaxValue)
            return new FeedCursor(new CommitTs(commitTs), (int)index);
        throw RefusedException.Invalid(field, "a commit_ts, or an event id of the feed like 17 or 17.2", Query.Shown(text));
    }

    /// <summary>Whether a commit comes after this position.</summary>
    public bool IsBefore(PlacedCommit placed) =>
        placed.Item.Commit.CommitTs > CommitTs
        || (placed.Item.Commit.CommitTs == CommitTs && Index is { } seen && placed.Index > seen);

    /// <summary>
    /// Finds each commit's place; a page never splits a transaction, so the page is enough. Agents only: an execution
    /// may have the id of an agent, and would pass for it.
    /// </summary>
    public static IEnumerable<PlacedCommit> Place(IReadOnlyList<FeedCommit> page)
    {
        List<FeedCommit> commits = [.. page.Where(commit => commit.Agent.Kind == AgentKind.Agent)];
        int index = 0;
        for (int i = 0; i < commits.Count; i++)
        {
            bool isLast = i + 1 == commits.Count || commits[i + 1].Commit.CommitTs != commits[i].Commit.CommitTs;
            yield return new PlacedCommit(commits[i], index, isLast);
            index = isLast ? 0 : index + 1;
        }
    }
}
