using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>
/// The states that the commits of one page of history put. One is read as of its version; from there on each is made of
/// the one before, so a page costs one fold and not one per item.
/// </summary>
/// <param name="commits">Without a gap, in the order of the page.</param>
/// <param name="newestFirst">Which that is.</param>
/// <param name="readAt">The state as of a version; absent where it was thinned.</param>
internal sealed class PageStates(ImmutableArray<JournalCommit> commits, bool newestFirst, Func<AgentVersion, ValueTask<JsonText>> readAt)
{
    // What is held at once where the newest are wanted first, which are made last.
    private const long StretchBytesMax = 8L * 1024 * 1024;
    private const int StretchCommitsMax = 128;

    private readonly Dictionary<AgentVersion, JsonText> _stretch = [];
    private int _done;
    private JsonText _last;

    /// <summary>The state that a commit put. Commits are asked for in the order of the page; any may be left out.</summary>
    /// <returns>Absent where it was thinned.</returns>
    /// <exception cref="InvariantBrokenException">SH-9001. A state is not what its digest says.</exception>
    public async ValueTask<JsonText> OfAsync(JournalCommit commit)
    {
        JsonText state;
        while (!_stretch.Remove(commit.Version, out state))
            await NextStretchAsync().ConfigureAwait(false);
        return state;
    }

    /// <summary>Oldest first that is one commit; newest first as many as may be held, made from the oldest on.</summary>
    private async ValueTask NextStretchAsync()
    {
        _stretch.Clear();
        int end = _done + 1;
        if (newestFirst)
        {
            long bytes = CommitMarks.MarkOf(commits[_done]).StateBytes;
            while (end < commits.Length && end - _done < StretchCommitsMax && (bytes += CommitMarks.MarkOf(commits[end]).StateBytes) <= StretchBytesMax)
                end++;
            _last = default;
        }
        for (int i = 0; i < end - _done; i++)
            await AddAsync(commits[newestFirst ? end - 1 - i : _done + i]).ConfigureAwait(false);
        _done = end;
    }

    private async ValueTask AddAsync(JournalCommit commit)
    {
        if (CommitMarks.StateOf(commit) is not { } operation)
            return;
        _last = operation.Detached switch
        {
            null => operation.Value,
            { Form: DetachedForm.Dropped } => default,
            { Form: DetachedForm.Difference } when _last.IsAbsent => await readAt(commit.Version).ConfigureAwait(false),
            { } value => Restore(commit, value),
        };
        _stretch[commit.Version] = _last;
    }

    private JsonText Restore(JournalCommit commit, DetachedValue value)
    {
        try
        {
            return value.Restore(_last);
        }
        catch (FormatException error)
        {
            throw new InvariantBrokenException($"The detail of commit {commit.Version} (txn {commit.TxnId}) does not make the state of its execution.", error);
        }
    }
}
