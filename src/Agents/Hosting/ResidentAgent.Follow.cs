using System.Runtime.CompilerServices;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <content>Replaying and following.</content>
public sealed partial class ResidentAgent
{
    // Enough that a follower which keeps up never reads the journal, and a second's worth of a busy agent.
    private const int RecentMax = 256;

    private readonly Queue<JournalCommit> _recent = new();
    private AgentVersion _newestRecent;
    private TaskCompletionSource? _moved;
    private int _followers;

    /// <summary>Keeps the agent in memory for a follower, until <see cref="RemoveFollower"/>. False where it is leaving.</summary>
    public bool TryAddFollower()
    {
        lock (_lock)
        {
            if (_evicted)
                return false;
            if (++_followers == 1)
                _hosting.OnFollowed(this);
        }
        Touch();
        return true;
    }

    public void RemoveFollower()
    {
        lock (_lock)
        {
            if (--_followers == 0)
            {
                _recent.Clear();
                _hosting.OnUnfollowed(this);
            }
        }
        Touch();
    }

    /// <summary>
    /// Commits from a version on, each once, in order; then, when following, each new one as it is shown. Who follows
    /// must be counted as a follower meanwhile.
    /// </summary>
    public async IAsyncEnumerable<JournalCommit> ReplayAsync(
        AgentVersion from, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        AgentState state = follow && _hosting.Store.IsShared
            ? await RefreshAsync(cancellationToken).ConfigureAwait(false)
            : await ConfirmedAsync(cancellationToken).ConfigureAwait(false);
        AgentVersion next = from < AgentVersion.None.Next ? AgentVersion.None.Next : from;
        while (true)
        {
            await foreach (JournalCommit commit in ReadAsync(next, state.Version, cancellationToken).ConfigureAwait(false))
            {
                yield return commit;
                next = commit.Version.Next;
            }
            if (!follow)
                yield break;
            await WaitForVersionAsync(next, cancellationToken).ConfigureAwait(false);
            state = await ConfirmedAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A range of commits: from memory where they were just shown, else from the journal.</summary>
    private async IAsyncEnumerable<JournalCommit> ReadAsync(
        AgentVersion from, AgentVersion to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (from > to)
            yield break;
        AgentVersion next = from;
        foreach (JournalCommit commit in Recent(from, to))
        {
            yield return commit;
            next = commit.Version.Next;
        }
        if (next > to)
            yield break;
        await foreach (JournalCommit commit in _hosting.Store.ReadForwardAsync(_handle, next, to, cancellationToken).ConfigureAwait(false))
        {
            yield return commit;
            next = commit.Version.Next;
        }
        if (next <= to)
            throw new InvariantBrokenException($"The journal of agent {Agent} ends before version {next}; version {to} was acknowledged.");
    }

    /// <summary>The range as far as it is in memory without a gap from its start; empty where the start is not.</summary>
    private List<JournalCommit> Recent(AgentVersion from, AgentVersion to)
    {
        var commits = new List<JournalCommit>();
        lock (_lock)
        {
            if (_recent.Count == 0 || _recent.Peek().Version > from)
                return commits;
            foreach (JournalCommit commit in _recent)
            {
                if (commit.Version >= from && commit.Version <= to)
                    commits.Add(commit);
            }
        }
        return commits;
    }

    private void RememberForFollowersNeedsLock(Commit commit)
    {
        if (_followers == 0)
            return;
        // Commits of other processes are not remembered, so there can be a gap: start afresh behind it.
        if (_recent.Count > 0 && _newestRecent.Next != commit.Version)
            _recent.Clear();
        _newestRecent = commit.Version;
        _recent.Enqueue(commit.ToJournal());
        if (_recent.Count > RecentMax)
            _recent.Dequeue();
    }

    private async Task WaitForVersionAsync(AgentVersion version, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource moved;
            lock (_lock)
            {
                if (_confirmed!.Version >= version)
                    return;
                moved = _moved ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            await moved.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void SignalFollowers()
    {
        if (Volatile.Read(ref _moved) is null)
            return;
        TaskCompletionSource? moved;
        lock (_lock)
            (moved, _moved) = (_moved, null);
        moved?.TrySetResult();
    }
}
