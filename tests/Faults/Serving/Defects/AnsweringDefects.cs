using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>With <see cref="EarlyStore"/>: commits are shown at once, and their callers told when they are durable.</summary>
internal sealed class LateReplies(IAgents inner, Func<Task> flushed) : AgentsDecorator(inner)
{
    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent), flushed);

    public override async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        ImmutableArray<CommitReceipt> receipts = await base.CommitTogetherAsync(commits, cancellationToken);
        await flushed();
        return receipts;
    }

    private sealed class Agent(IAgentState inner, Func<Task> flushed) : AgentDecorator(inner)
    {
        public override async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
        {
            CommitReceipt receipt = await base.CommitAsync(request, cancellationToken);
            await flushed();
            return receipt;
        }
    }
}

/// <summary>A repeated idempotency key commits once more.</summary>
internal sealed class NoIdempotency(IAgents inner) : AgentsDecorator(inner)
{
    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent));

    public override async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        ImmutableArray<CommitReceipt> receipts = await base.CommitTogetherAsync(commits, cancellationToken);
        if (!receipts.Any(receipt => receipt.Replayed))
            return receipts;
        return await base.CommitTogetherAsync(
            [.. commits.Select(each => each with { Commit = each.Commit with { IdempotencyKey = null } })], cancellationToken);
    }

    private sealed class Agent(IAgentState inner) : AgentDecorator(inner)
    {
        public override async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
        {
            CommitReceipt receipt = await base.CommitAsync(request, cancellationToken);
            return receipt.Replayed ? await base.CommitAsync(request with { IdempotencyKey = null }, cancellationToken) : receipt;
        }
    }
}

/// <summary>A scan shows all of the last commit but its last key.</summary>
internal sealed class TornScans(IAgents inner) : AgentsDecorator(inner)
{
    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent));

    private sealed class Agent(IAgentState inner) : AgentDecorator(inner)
    {
        public override async ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken)
        {
            ScanPage page = await base.ScanAsync(request, cancellationToken);
            if (page.AgentVersion.Value < 2 || page.HasMore || request.KeysOnly)
                return page;
            JournalCommit last = await GetCommitAsync(page.AgentVersion, cancellationToken);
            using JsonDocument body = JsonDocument.Parse(last.Canonical);
            string[] keys = [.. body.RootElement.GetProperty("operations").EnumerateArray().Select(each => each.GetProperty("key").GetString()!).Distinct()];
            if (keys.Length < 2)
                return page;
            var before = ReadPoint.AtVersion(new AgentVersion(page.AgentVersion.Value - 1));
            ScanPage old = await base.ScanAsync(request with { At = before }, cancellationToken);
            bool IsTorn(KeyState item) => item.Key.ToString() == keys[^1];
            return page with
            {
                Items = [.. page.Items.Where(item => !IsTorn(item)).Concat(old.Items.Where(IsTorn))
                    .OrderBy(item => item.Key)],
            };
        }
    }
}

/// <summary>Now and then a read, strong or not, is answered as the one before it.</summary>
internal sealed class StaleReads(IAgents inner) : AgentsDecorator(inner)
{
    private const int Every = 5;

    private readonly ConcurrentDictionary<(AgentId, Key), KeyState> _answers = new();
    private long _reads;

    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent), agent, this);

    private sealed class Agent(IAgentState inner, AgentId agent, StaleReads all) : AgentDecorator(inner)
    {
        public override async ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken)
        {
            KeyState now = await base.GetAsync(request, cancellationToken);
            if (request.At != ReadPoint.Latest)
                return now;
            KeyState before = all._answers.GetOrAdd((agent, request.Key), now);
            all._answers[(agent, request.Key)] = now;
            return Interlocked.Increment(ref all._reads) % Every == 0 ? before : now;
        }
    }
}

/// <summary>Now and then a receipt carries the position of the one before it.</summary>
internal sealed class RepeatedPositions(IAgents inner) : AgentsDecorator(inner)
{
    private const int Every = 20;

    private long _commits;
    private long _last;

    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent), this);

    private sealed class Agent(IAgentState inner, RepeatedPositions all) : AgentDecorator(inner)
    {
        public override async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
        {
            CommitReceipt receipt = await base.CommitAsync(request, cancellationToken);
            long before = Interlocked.Exchange(ref all._last, receipt.CommitTs.Value);
            return before > 0 && Interlocked.Increment(ref all._commits) % Every == 0 ? receipt with { CommitTs = new CommitTs(before) } : receipt;
        }
    }
}

/// <summary>Now and then a commit is refused as a conflict after it was written.</summary>
internal sealed class FalseRefusals(IAgents inner) : AgentsDecorator(inner)
{
    private const int Every = 20;

    private long _commits;

    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent), this);

    private sealed class Agent(IAgentState inner, FalseRefusals all) : AgentDecorator(inner)
    {
        public override async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
        {
            CommitReceipt receipt = await base.CommitAsync(request, cancellationToken);
            return Interlocked.Increment(ref all._commits) % Every == 0
                ? throw new StateConflictException("Another writer was first. Nothing was written.")
                : receipt;
        }
    }
}

/// <summary>Now and then a conditional commit is refused as a conflict without a look at its condition, and not written.</summary>
internal sealed class UnjustRefusals(IAgents inner) : AgentsDecorator(inner)
{
    private const int Every = 20;

    private long _commits;

    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent), this);

    private sealed class Agent(IAgentState inner, UnjustRefusals all) : AgentDecorator(inner)
    {
        public override ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
        {
            bool isConditional = request.IfAgentVersion is not null || request.Operations.Any(operation => operation.IfVersion is not null);
            return isConditional && Interlocked.Increment(ref all._commits) % Every == 0
                ? throw new StateConflictException("Another writer was first. Nothing was written.")
                : base.CommitAsync(request, cancellationToken);
        }
    }
}

/// <summary>A follower is not shown each tenth commit.</summary>
internal sealed class SkippingFollowers(IAgents inner) : AgentsDecorator(inner)
{
    private const int Every = 10;

    public override IAgentState Get(AgentId agent) => new Agent(base.Get(agent));

    private sealed class Agent(IAgentState inner) : AgentDecorator(inner)
    {
        public override async IAsyncEnumerable<JournalCommit> ReplayAsync(
            AgentVersion from, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (JournalCommit commit in base.ReplayAsync(from, follow, cancellationToken))
            {
                if (!follow || commit.Version.Value % Every != 0)
                    yield return commit;
            }
        }
    }
}
