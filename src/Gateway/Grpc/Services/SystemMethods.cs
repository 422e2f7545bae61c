using Statehouse.Agents;
using Statehouse.Journal;
using Statehouse.V1;

namespace Statehouse.Gateway;

/// <summary>Health and build.</summary>
internal sealed class SystemMethods(JournalPulse pulse)
{
    public IEnumerable<GrpcMethod> All(string service) =>
    [
        new UnaryMethod<HealthRequest, HealthResponse>(service, "Health", HealthRequest.Parser, HealthAsync),
        new UnaryMethod<VersionRequest, VersionResponse>(service, "Version", VersionRequest.Parser, VersionAsync),
    ];

    private async ValueTask<HealthResponse> HealthAsync(HealthRequest request, CancellationToken cancellationToken)
    {
        await pulse.CheckAsync(cancellationToken);
        return new HealthResponse { Status = "ok" };
    }

    private static ValueTask<VersionResponse> VersionAsync(VersionRequest request, CancellationToken cancellationToken) =>
        new(new VersionResponse { Version = BuildInfo.Version, GitSha = BuildInfo.GitSha });
}

/// <summary>Whether the journal answers in time and the server is not stopping.</summary>
internal sealed class JournalPulse(IAgents agents, TimeSpan patience, TimeProvider clock, CancellationToken stopping)
{
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (stopping.IsCancellationRequested)
            throw new JournalUnavailableException("The server is stopping.");
        using var bound = new CancellationTokenSource(patience, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        try
        {
            // Waited for here as well: a journal that hangs need not heed the token.
            await agents.PingAsync(ending.Token).AsTask().WaitAsync(ending.Token);
        }
        catch (OperationCanceledException) when (bound.IsCancellationRequested)
        {
            throw new JournalUnavailableException($"The journal did not answer within {patience.TotalSeconds} s.");
        }
    }
}
