using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <content>Taking part in a transaction whose coordinator may be on another silo.</content>
internal sealed partial class AgentStateGrain : IAgentParticipantGrain
{
    private const string GivenUp = "The coordinator of this transaction has given up.";

    // So many ends are remembered of holds that were not heard of before; those that come at all, come within moments.
    private const int EarlyEndsMax = 256;

    // Those that wait for their turn and were not told their end meanwhile.
    private HashSet<Guid>? _wanted;
    private Queue<Guid>? _earlyEnds;
    private Hold? _hold;

    public async ValueTask<HeldAgent> HoldAsync(HoldRequest request, CancellationToken cancellationToken)
    {
        Guid holdId = request.HoldId ?? request.TxnId;
        // Its end may overtake a request that is still looking for where the agent is active.
        if (_earlyEnds?.Contains(holdId) == true)
            throw new OperationCanceledException(GivenUp);
        _wanted ??= [];
        _wanted.Add(holdId);
        HeldAgent held;
        try
        {
            held = await Agent.TryHoldAsync(request, cancellationToken)
                ?? throw new InvariantBrokenException($"The grain of agent {Agent.Agent} is active, but its agent has left memory.");
        }
        catch
        {
            _wanted.Remove(holdId);
            throw;
        }
        if (!_wanted.Remove(holdId) || cancellationToken.IsCancellationRequested)
        {
            // Nobody would end this hold before its lease is over.
            Agent.EndHold(new HoldEnd(HoldOutcome.NotWritten));
            throw new OperationCanceledException(GivenUp);
        }
        // The coordinator may be far away, so readers wait from here on, not only while all agents show the commit.
        Agent.BeginAppend();
        Agent.CloseReads();
        var hold = new Hold(holdId, request.TxnId);
        _hold = hold;
        DelayDeactivation(request.Lease * 2);
        _ = EndWithLeaseAsync(hold, request.Lease);
        return held;
    }

    public async ValueTask EndAsync(Guid holdId, HoldEnd end, CancellationToken cancellationToken)
    {
        if (_hold is { } hold && hold.Id == holdId)
            End(hold, end);
        else if (end.Outcome != HoldOutcome.NotWritten)
            // The lease ran out, or this is a later activation: what is known here may be from before the append.
            await Agent.RefreshAsync(cancellationToken);
        else if (_wanted?.Remove(holdId) != true)
            RememberEarlyEnd(holdId);
    }

    private void RememberEarlyEnd(Guid holdId)
    {
        _earlyEnds ??= new Queue<Guid>();
        _earlyEnds.Enqueue(holdId);
        if (_earlyEnds.Count > EarlyEndsMax)
            _earlyEnds.Dequeue();
    }

    /// <summary>
    /// A coordinator that is not heard of may have appended all the same, so the outcome is unknown: readers are let in
    /// again, but ask the journal for as long as the append may still land.
    /// </summary>
    private async Task EndWithLeaseAsync(Hold hold, TimeSpan lease)
    {
        await hold.Ended.Task.WaitAsync(lease, _hosting.Clock)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (hold.Ended.Task.IsCompleted)
            return;
        _hosting.Log.Write(
            OperatorLogLevel.Warning,
            $"Transaction {hold.TxnId} held agent {Agent.Agent} and was not heard of for {lease.TotalSeconds:0.#} s; the journal tells what became of it.", null);
        End(hold, new HoldEnd(HoldOutcome.Unknown));
    }

    private void End(Hold hold, HoldEnd end)
    {
        if (!ReferenceEquals(_hold, hold))
            return;
        _hold = null;
        hold.Ended.SetResult();
        Agent.EndHold(end);
        Agent.OpenReads();
    }

    /// <summary>
    /// The next activation reads the journal when it is first asked. It must not do so between the decision and the
    /// append of a transaction, or it would answer from before it while another agent shows it (I2).
    /// </summary>
    private async Task OutliveHoldAsync(CancellationToken cancellationToken)
    {
        if (_hold is { } hold)
            await hold.Ended.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private sealed class Hold(Guid id, Guid txnId)
    {
        public Guid Id { get; } = id;

        public Guid TxnId { get; } = txnId;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
