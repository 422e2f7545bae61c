using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>A refusal that only gRPC knows: an unknown method, a message that is too large, compressed, broken off or not alone.</summary>
/// <param name="status">The status, where it is not the one that <see cref="ErrorMap"/> has for the code.</param>
/// <param name="code">The nearest of our codes.</param>
/// <param name="message">For the caller.</param>
internal sealed class GrpcRefusal(GrpcStatus status, ErrorCode code, string message) : StatehouseException(code, message)
{
    public GrpcStatus Status { get; } = status;

    public static GrpcRefusal BrokenOff() =>
        new(GrpcStatus.Internal, ErrorCode.InvalidArgument, "The request ended before its message was whole.");
}
