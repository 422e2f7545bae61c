using System.Net.Sockets;
using System.Text.Json;
using Google.Protobuf;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Clients;

/// <summary>Why one step of a call has no answer, and whether the server can have acted on it.</summary>
/// <param name="Code">SH-nnnn, or the transport's word: timeout, reset, refused-connection, not-sent, broken-reply, http-502, grpc-2.</param>
/// <param name="IsUnknown">False: it promises that nothing was written.</param>
/// <param name="Detail">For a person.</param>
internal sealed record CallFailure(string Code, bool IsUnknown, string Detail)
{
    /// <summary>A reply that came whole, and is not what the API promises.</summary>
    public const string BrokenReply = "broken-reply";

    /// <summary>UNKNOWN without a code of ours: gRPC's word for an exception that nobody caught.</summary>
    public const string GrpcUnknown = "grpc-2";

    /// <summary>INTERNAL without a code of ours.</summary>
    public const string GrpcInternal = "grpc-13";

    private const string RefusedConnection = "refused-connection";
    private const string Unavailable = "SH-2001";
    private const string Busy = "SH-2003";

    /// <summary>A server's own code: refusals, SH-2001 and SH-2003 promise that nothing was written; SH-2002, SH-9001 and what is no code of ours do not.</summary>
    public static CallFailure OfCode(string code, string detail) =>
        new(code, !(code.StartsWith("SH-1", StringComparison.Ordinal) || code is Unavailable or Busy), detail);

    /// <summary>Of a reply that came whole; what it stands for may have happened.</summary>
    public static CallFailure OfBrokenReply(Exception error) => new(BrokenReply, true, $"{error.GetType().Name}: {error.Message}");

    /// <summary>What reading a reply throws that lacks a member, or has one of another kind.</summary>
    public static bool IsBrokenReply(Exception error) =>
        error is KeyNotFoundException or InvalidOperationException or FormatException or JsonException or InvalidProtocolBufferException;

    /// <param name="error">What the request ended with.</param>
    /// <param name="wasSent">Whether any byte of it may have left.</param>
    public static CallFailure OfTransport(Exception error, bool wasSent)
    {
        string word = Word(error);
        bool isUnknown = wasSent && word != RefusedConnection;
        if (!wasSent && word != RefusedConnection)
            word = "not-sent";
        return new CallFailure(word, isUnknown, $"{error.GetType().Name}: {error.Message}");
    }

    /// <summary>Whether this is the world's doing, and not a bug of the harness.</summary>
    public static bool IsTransport(Exception error) =>
        error is HttpRequestException or IOException or OperationCanceledException or SocketException;

    public CallResult ToResult(Answer? answer = null) =>
        new(IsUnknown ? Outcome.Unknown : Outcome.Refused, answer, Code, Detail);

    /// <summary>For a stream that could not be opened, or broke off.</summary>
    public FollowFailure ToFollow() => new(Code, Detail);

    /// <summary>For a step that writes nothing even where it was received, as long as no later step follows.</summary>
    public CallResult ToRefusal(Answer? answer = null) => new(Outcome.Refused, answer, Code, Detail);

    private static string Word(Exception error)
    {
        if (error is OperationCanceledException)
            return "timeout";
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
                return RefusedConnection;
        }
        return "reset";
    }
}
