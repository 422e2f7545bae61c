using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>A state folded from the journal, and how much of the journal that took.</summary>
/// <param name="State">At the version asked for, or the journal's end.</param>
/// <param name="SnapshotBytes">Of the snapshot that the fold started from; 0 = from the beginning.</param>
/// <param name="TailBytes">Journal bytes folded on top of it.</param>
public sealed record LoadedState(AgentState State, long SnapshotBytes, long TailBytes);

/// <summary>
/// Folds journals into states, and trusts nothing on the way: every commit must chain on the one before it, in
/// version, time, position and hash (I3, I11).
/// </summary>
/// <param name="store">Where the journals are.</param>
/// <param name="limits">How much a state remembers.</param>
/// <param name="log">Hears of snapshots that are passed over.</param>
/// <param name="onCrashPoint">As <see cref="LocalAgentsOptions.OnCrashPoint"/>.</param>
public sealed class AgentLoader(IJournalStore store, Limits limits, IOperatorLog log, Action<CrashPoint>? onCrashPoint = null)
{
    /// <summary>Loads the newest snapshot not above <paramref name="atMost"/> and folds the tail up to it.</summary>
    /// <param name="handle">Whose journal.</param>
    /// <param name="atMost">The version wanted; beyond the journal's end means its end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HistoryTrimmedException">SH-1008. The commits, or the details, that the fold needs are no longer kept.</exception>
    /// <exception cref="InvariantBrokenException">SH-9001. The journal contradicts itself.</exception>
    public async Task<LoadedState> LoadAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken)
    {
        AgentVersion triedFrom = default;
        for (bool isFirst = true; ; isFirst = false)
        {
            (AgentState start, long snapshotBytes) = await StartAsync(handle, atMost, cancellationToken).ConfigureAwait(false);
            try
            {
                onCrashPoint?.Invoke(CrashPoint.InLoad);
                JournalFold fold = await FoldOnAsync(handle, start, atMost, cancellationToken).ConfigureAwait(false);
                return new LoadedState(fold.End(), snapshotBytes, fold.Bytes);
            }
            catch (HistoryTrimmedException) when (isFirst || start.Version > triedFrom)
            {
                // Trimmed while it was read, maybe: then there is a newer snapshot by now. Where there is none, it ends here.
                triedFrom = start.Version;
            }
        }
    }

    /// <summary>Folds the commits after a state's version up to <paramref name="atMost"/> into it.</summary>
    /// <exception cref="HistoryTrimmedException">SH-1008. The commits, or the details, that the fold needs are no longer kept.</exception>
    public async Task<(AgentState State, long Bytes)> FoldAsync(
        JournalHandle handle, AgentState state, AgentVersion atMost, CancellationToken cancellationToken)
    {
        JournalFold fold = await FoldOnAsync(handle, state, atMost, cancellationToken).ConfigureAwait(false);
        return (fold.End(), fold.Bytes);
    }

    /// <summary>A fold up to a version, which need not be known in all its values.</summary>
    internal async Task<JournalFold> FoldUpToAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken)
    {
        (AgentState start, _) = await StartAsync(handle, atMost, cancellationToken).ConfigureAwait(false);
        return await FoldOnAsync(handle, start, atMost, cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="InvariantBrokenException">SH-9001. The commit cannot follow that one.</exception>
    public static void CheckLink(AgentId agent, CommitStamp last, in CommitHash lastHash, JournalCommit next)
    {
        if (next.Version != last.Version.Next)
            throw Broken(agent, next, $"its version should be {last.Version.Next}");
        if (next.CommitTs <= last.CommitTs)
            throw Broken(agent, next, $"its commit_ts {next.CommitTs} is not above {last.CommitTs}");
        if (next.Time < last.Time)
            throw Broken(agent, next, $"its time {next.Time} is before {last.Time}");
        CommitHash expected = CommitHash.Chain(lastHash, next.Version, next.Time, next.TxnId, next.Body.Span);
        if (expected != next.Hash)
            throw Broken(agent, next, $"its hash is {next.Hash}, but its content and predecessor make {expected}");
    }

    private async Task<JournalFold> FoldOnAsync(
        JournalHandle handle, AgentState state, AgentVersion atMost, CancellationToken cancellationToken)
    {
        var fold = new JournalFold(state, limits);
        if (state.Version >= atMost)
            return fold;
        await foreach (JournalCommit commit in store.ReadForwardAsync(handle, state.Version.Next, atMost, cancellationToken).ConfigureAwait(false))
            fold.Add(commit);
        return fold;
    }

    private async Task<(AgentState State, long SnapshotBytes)> StartAsync(
        JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken)
    {
        AgentVersion below = atMost;
        while (await store.ReadSnapshotAsync(handle, below, cancellationToken).ConfigureAwait(false) is { } snapshot)
        {
            try
            {
                return (SnapshotCodec.Decode(handle.Agent, snapshot), snapshot.Body.Length);
            }
            catch (InvariantBrokenException error)
            {
                // Everything can be rebuilt from the journal, so a bad snapshot costs time, not data.
                log.Write(OperatorLogLevel.Error, $"A snapshot of agent {handle.Agent} is passed over; an older one or the whole journal is folded.", error);
                below = new AgentVersion(snapshot.Version.Value - 1);
            }
        }
        return (AgentState.Empty(handle.Agent), 0);
    }

    private static InvariantBrokenException Broken(AgentId agent, JournalCommit commit, string why) =>
        CommitChain.Broken(
            agent, commit.Version, $"The journal of agent {agent} is damaged at version {commit.Version} (txn {commit.TxnId}): {why}.");
}
