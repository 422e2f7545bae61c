using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>The share of an agent that is a grain, maybe on another silo: it closes itself to readers while it is held.</summary>
internal sealed class GrainShare(AgentHosting hosting, AgentGrains grains, AgentId agent) : ITransactionShare
{
    private readonly IAgentParticipantGrain _grain = grains.ParticipantOf(agent);
    private readonly Guid _holdId = Guid.NewGuid();
    private Guid _txnId;
    private TimeSpan _lease;
    private long _heldSince;

    public async ValueTask<HeldAgent> HoldAsync(HoldRequest request, CancellationToken cancellationToken)
    {
        (_txnId, _lease, _heldSince) = (request.TxnId, request.Lease, hosting.Clock.GetTimestamp());
        try
        {
            return await _grain.HoldAsync(request with { HoldId = _holdId }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (ClusterFaults.IsFault(error, cancellationToken))
        {
            LetGo();
            throw ClusterFaults.NothingWritten(agent, error);
        }
        catch (OperationCanceledException)
        {
            LetGo();
            throw;
        }
    }

    /// <summary>A lease that is over lets the agent go; half of it is left to the append and to the clocks.</summary>
    public void BeginAppend()
    {
        if (hosting.Clock.GetElapsedTime(_heldSince) > _lease / 2)
            throw new JournalBusyException("Taking the turns of all agents of this transaction took too long; nothing was written. Try again shortly.");
    }

    public void CloseReads()
    {
        // Closed since the hold.
    }

    /// <summary>Never throws: an agent that does not hear of the end looks in the journal when its lease is over.</summary>
    public async ValueTask EndAsync(HoldEnd end)
    {
        try
        {
            await _grain.EndAsync(_holdId, end, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (error is StatehouseException || ClusterFaults.IsFault(error, CancellationToken.None))
        {
            hosting.Log.Write(OperatorLogLevel.Warning, $"Agent {agent} could not be told the end of transaction {_txnId}; it will look in the journal.", error);
        }
    }

    public void OpenReads()
    {
        // Opened with the end.
    }

    /// <summary>There may be a hold, or come to be one, where its reply is not waited for; who does not answer is not waited for either.</summary>
    private void LetGo() => _ = EndAsync(new HoldEnd(HoldOutcome.NotWritten)).AsTask();
}
