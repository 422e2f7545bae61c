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

    private readonly ConcurrentDictionary<AgentId, LocalAgent> _resident;
    private readonly AgentContext _context;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private CommitTs? _position;
    private bool _isAway;

    public ForeignCommits(ConcurrentDictionary<AgentId, LocalAgent> resident, AgentContext context)
    {
        _resident = resident;
        _context = context;
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
        using var timer = new PeriodicTimer(_context.Options.ForeignPollEvery, _context.Clock);
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
        if (LocalAgent.FollowedCount == 0)
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
                _context.Log.Write(OperatorLogLevel.Warning, "Followers do not see other processes' commits until the journal answers again.", error);
            _isAway = true;
        }
    }

    /// <summary>Starts from where the feed ends now; whoever follows already is refreshed once, after that.</summary>
    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        CommitTs end = await _context.Store.ReadFeedEndAsync(cancellationToken).ConfigureAwait(false);
        foreach (LocalAgent agent in _resident.Values)
        {
            if (agent.HasFollowers)
                await agent.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
        _position = end;
    }

    private async Task AdvanceAsync(CommitTs position, CancellationToken cancellationToken)
    {
        FeedPage page;
        do
        {
            page = await _context.Store.ReadFeedAsync(position, PageCommits, null, cancellationToken).ConfigureAwait(false);
            foreach (FeedCommit item in page.Commits)
            {
                if (_resident.TryGetValue(item.Agent, out LocalAgent? agent) && agent.HasFollowers &&
                    agent.Confirmed is { } state && state.Version < item.Commit.Version)
                {
                    await agent.RefreshAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            _position = position = page.Through;
        }
        while (!page.AtEnd);
    }
}
