namespace Statehouse.Agents.Hosting;

/// <summary>The share of an agent in this process: readers wait only while all shares are being shown.</summary>
internal sealed class LocalShare(Func<ResidentAgent> find) : ITransactionShare
{
    private ResidentAgent? _agent;

    public async ValueTask<HeldAgent> HoldAsync(HoldRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            ResidentAgent agent = find();
            if (await agent.TryHoldAsync(request, cancellationToken).ConfigureAwait(false) is { } held)
            {
                _agent = agent;
                return held;
            }
            // It was leaving memory just then.
            await Task.Yield();
        }
    }

    public void BeginAppend() => _agent!.BeginAppend();

    public void CloseReads() => _agent!.CloseReads();

    public ValueTask EndAsync(HoldEnd end)
    {
        _agent!.EndHold(end);
        return ValueTask.CompletedTask;
    }

    public void OpenReads() => _agent!.OpenReads();
}
