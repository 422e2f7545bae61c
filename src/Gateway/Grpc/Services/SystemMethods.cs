using Statehouse.V1;

namespace Statehouse.Gateway;

/// <summary>Health and build.</summary>
internal sealed class SystemMethods(Readiness readiness)
{
    public IEnumerable<GrpcMethod> All(string service) =>
    [
        new UnaryMethod<HealthRequest, HealthResponse>(service, "Health", HealthRequest.Parser, HealthAsync),
        new UnaryMethod<VersionRequest, VersionResponse>(service, "Version", VersionRequest.Parser, VersionAsync),
    ];

    private async ValueTask<HealthResponse> HealthAsync(HealthRequest request, CancellationToken cancellationToken)
    {
        await readiness.CheckAsync(cancellationToken);
        return new HealthResponse { Status = "ok" };
    }

    private static ValueTask<VersionResponse> VersionAsync(VersionRequest request, CancellationToken cancellationToken) =>
        new(new VersionResponse { Version = BuildInfo.Version, GitSha = BuildInfo.GitSha });
}
