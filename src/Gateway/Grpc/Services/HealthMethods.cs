using Grpc.Health.V1;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// <c>grpc.health.v1</c>: SERVING while the server is ready. <c>Watch</c> is UNIMPLEMENTED, which its clients take for
/// "ask with Check".
/// </summary>
internal sealed class HealthMethods(Readiness readiness, IReadOnlySet<string> services)
{
    public const string Service = "grpc.health.v1.Health";

    public IEnumerable<GrpcMethod> All =>
        [new UnaryMethod<HealthCheckRequest, HealthCheckResponse>(Service, "Check", HealthCheckRequest.Parser, CheckAsync)];

    private async ValueTask<HealthCheckResponse> CheckAsync(HealthCheckRequest request, CancellationToken cancellationToken)
    {
        if (request.Service.Length > 0 && !services.Contains(request.Service))
            throw new GrpcRefusal(GrpcStatus.NotFound, ErrorCode.NotFound, $"There is no service {Query.Shown(request.Service)} here.");
        try
        {
            await readiness.CheckAsync(cancellationToken);
            return new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving };
        }
        catch (StatehouseException)
        {
            // Being asked whether it serves, a server that does not has an answer, not an error.
            return new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.NotServing };
        }
    }
}
