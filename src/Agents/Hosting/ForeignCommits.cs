using System.Collections.Concurrent;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// On a shared store: while anybody follows an agent here, watches the feed for commits of other processes and
/// refreshes the agents that are followed. One query every tenth of a second for all followers together.
/// </summary>
internal sealed class ForeignCommits : IAsyncDisposable
{
    private const int PageCommits = 1000;

    private readonly ConcurrentDictionary<AgentId, ResidentAgent> _followed;
    private readonly AgentHosting _hosting;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private CommitTs? _position;
    private bool _isAway;

    public ForeignCommits(ConcurrentDictionary<AgentId, ResidentAgent> followed, AgentHosting hosting)
    {
        _followed = followed;
        _hosting = hosting;
        _loop = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(_hosting.Options.ForeignPollEvery, _hosting.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
                await LookAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (_followed.IsEmpty)
        {
            _position = null;
            return;
        }
        try
        {
            await (_position is { } position ? AdvanceAsync(position, cancellationToken) : BeginAsync(cancellationToken)).ConfigureAwait(false);
            _isAway = false;
        }
        catch (StatehouseException error)
        {
            if (!_isAway)
                _hosting.Log.Write(OperatorLogLevel.Warning, "Followers do not see other processes' commits until the journal answers again.", error);
            _isAway = true;
        }
    }

    /// <summary>Starts from where the feed ends now; whoever follows already is refreshed once, after that.</summary>
    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        CommitTs end = await _hosting.Store.ReadFeedEndAsync(cancellationToken).ConfigureAwait(false);
        await RefreshAllAsync(cancellationToken).ConfigureAwait(false);
        _position = end;
    }

    private async Task RefreshAllAsync(CancellationToken cancellationToken)
    {
        foreach (ResidentAgent agent in _followed.Values)
            await RefreshAsync(agent, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A damaged agent fails for those who ask for it, and for nobody else.</summary>
    private async Task RefreshAsync(ResidentAgent agent, CancellationToken cancellationToken)
    {
        try
        {
            await agent.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (InvariantBrokenException error)
        {
            _hosting.Log.Write(OperatorLogLevel.Error, $"Followers of {agent.Agent} see no more of its commits: it is damaged.", error);
        }
    }

    private async Task AdvanceAsync(CommitTs position, CancellationToken cancellationToken)
    {
        FeedPage page;
        do
        {
            try
            {
                page = await _hosting.Store.ReadFeedAsync(position, PageCommits, null, cancellationToken).ConfigureAwait(false);
            }
            catch (InvariantBrokenException error) when (error.FeedDamage is { } damaged)
            {
                _hosting.Log.Write(OperatorLogLevel.Error, $"The feed is damaged at {damaged}; followers go on behind it.", error);
                // Its commits are not known here: every agent that is followed may have one of them.
                await RefreshAllAsync(cancellationToken).ConfigureAwait(false);
                page = new FeedPage([], damaged, AtEnd: false);
            }
            foreach (FeedCommit item in page.Commits)
            {
                if (_followed.TryGetValue(item.Agent, out ResidentAgent? agent) &&
                    agent.Confirmed is { } state && state.Version < item.Commit.Version)
                {
                    await RefreshAsync(agent, cancellationToken).ConfigureAwait(false);
                }
            }
            _position = position = page.Through;
        }
        while (!page.AtEnd);
    }
}
