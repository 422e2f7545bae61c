using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Writes a reply's messages, each with its prefix. What is much waits for the client to take it.</summary>
/// <param name="response">Of the call.</param>
/// <param name="piecePatience">As of <see cref="GatewayOptions.GrpcPiecePatience"/>.</param>
/// <param name="clock">Time.</param>
internal sealed class MessageWriter(HttpResponse response, TimeSpan piecePatience, TimeProvider clock)
{
    // Beyond this a reply leaves in pieces, so that a client's window bounds what waits here.
    private const int PieceBytes = 64 * 1024;

    /// <summary>The largest reply. A reply is built whole before it leaves, so this bounds memory.</summary>
    public const int ReplyBytesMax = 64 * 1024 * 1024;

    /// <summary>Makes the headers final. What goes wrong from here on is told in trailers.</summary>
    public Task StartAsync() =>
        response.HasStarted ? Task.CompletedTask : response.StartAsync(CancellationToken.None);

    /// <summary>One message. A small one waits for the trailers, the next message or a flush.</summary>
    /// <exception cref="GrpcRefusal">The reply is too large.</exception>
    public async ValueTask WriteAsync(IMessage message, CancellationToken cancellationToken)
    {
        int length = message.CalculateSize();
        if (length > ReplyBytesMax)
            throw ReplyTooLarge();
        await StartAsync();
        if (length > PieceBytes)
        {
            await WritePiecesAsync(message, length, cancellationToken);
            return;
        }
        int framed = MessageReader.PrefixBytes + length;
        WriteFramed(message, response.BodyWriter.GetSpan(framed)[..framed]);
        response.BodyWriter.Advance(framed);
    }

    /// <summary>What was sent last waits for the client to take it: no trailers can reach it now, only a reset of its stream.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Sends bytes that hold whole messages with their prefixes; returns when there is room for more.</summary>
    /// <param name="framed">Free again when this returns, whatever it returns with.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">The client has gone, or the call has ended.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> framed, CancellationToken cancellationToken) =>
        WaitForRoomAsync(response.BodyWriter.WriteAsync(framed, CancellationToken.None), Timeout.InfiniteTimeSpan, cancellationToken);

    /// <exception cref="OperationCanceledException">As <see cref="SendAsync"/>.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken) =>
        WaitForRoomAsync(response.BodyWriter.FlushAsync(CancellationToken.None), Timeout.InfiniteTimeSpan, cancellationToken);

    // Kestrel takes a cancelled write for a broken server and resets the stream with INTERNAL_ERROR, so the waiting is
    // cancelled and not the write. Kestrel has copied the bytes by then.
    private async ValueTask WaitForRoomAsync(ValueTask<FlushResult> write, TimeSpan patience, CancellationToken cancellationToken)
    {
        IsBlocked = !write.IsCompleted;
        FlushResult flushed;
        try
        {
            flushed = IsBlocked ? await write.AsTask().WaitAsync(patience, clock, cancellationToken) : await write;
        }
        catch (TimeoutException slow)
        {
            throw new OperationCanceledException("The client does not take its reply.", slow);
        }
        IsBlocked = false;
        if (flushed.IsCompleted || flushed.IsCanceled)
            throw new OperationCanceledException("The client reads no more.");
        cancellationToken.ThrowIfCancellationRequested();
    }

    public static GrpcRefusal ReplyTooLarge() => new(
        GrpcStatus.ResourceExhausted, ErrorCode.LimitExceeded, $"The reply would exceed {ReplyBytesMax} bytes. HTTP/JSON v1 has pages.");

    public static void WritePrefix(Span<byte> prefix, int length)
    {
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)length);
    }

    private async ValueTask WritePiecesAsync(IMessage message, int length, CancellationToken cancellationToken)
    {
        byte[] framed = new byte[MessageReader.PrefixBytes + length];
        WriteFramed(message, framed);
        for (int sent = 0; sent < framed.Length; sent += PieceBytes)
        {
            ValueTask<FlushResult> piece = response.BodyWriter.WriteAsync(framed.AsMemory(sent, Math.Min(PieceBytes, framed.Length - sent)), CancellationToken.None);
            await WaitForRoomAsync(piece, piecePatience, cancellationToken);
        }
    }

    private static void WriteFramed(IMessage message, Span<byte> framed)
    {
        WritePrefix(framed, framed.Length - MessageReader.PrefixBytes);
        message.WriteTo(framed[MessageReader.PrefixBytes..]);
    }
}
