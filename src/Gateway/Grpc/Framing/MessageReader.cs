using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Reads a request's messages: each is a flag byte, a big-endian 32-bit length, and that many bytes.</summary>
internal sealed class MessageReader(PipeReader body, RequestLoad load, int messageBytesMax) : IDisposable
{
    public const int PrefixBytes = 5;

    private readonly PacedReads _reads = new(body, load.Pace);
    private long _taken;

    /// <summary>The only message of a request.</summary>
    /// <exception cref="GrpcRefusal">None, more than one, too large, compressed, or broken off.</exception>
    /// <exception cref="RefusedException">SH-1003: its bytes are no such message.</exception>
    public async ValueTask<T> ReadOnlyOneAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        T message = await ReadAsync(parser, cancellationToken) ?? throw GrpcRefusal.BrokenOff();
        ReadResult rest = await body.ReadAsync(cancellationToken);
        bool isEnd = rest.Buffer.IsEmpty && rest.IsCompleted;
        body.AdvanceTo(rest.Buffer.End);
        return isEnd
            ? message
            : throw new GrpcRefusal(GrpcStatus.Internal, ErrorCode.InvalidArgument, "The request holds more than one message; this method takes one.");
    }

    /// <summary>The next message; null at the end of the request.</summary>
    /// <exception cref="GrpcRefusal">Too large, compressed, or broken off.</exception>
    /// <exception cref="JournalBusyException">SH-2003: all messages of requests together are too large.</exception>
    /// <exception cref="BadHttpRequestException">It comes more slowly than <see cref="RequestLoad.Pace"/>.</exception>
    /// <exception cref="RefusedException">SH-1003: its bytes are no such message.</exception>
    public async ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        GiveBack();
        long seen = 0;
        while (true)
        {
            ReadResult read = await _reads.ReadAsync(seen, cancellationToken);
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (buffer.IsEmpty && read.IsCompleted)
                return null;
            long wanted = PrefixBytes;
            if (buffer.Length >= PrefixBytes)
            {
                int length = LengthOf(buffer);
                wanted += length;
                if (buffer.Length >= wanted)
                {
                    T message = Parse(parser, buffer.Slice(PrefixBytes, length));
                    body.AdvanceTo(buffer.GetPosition(wanted));
                    _reads.End();
                    return message;
                }
            }
            if (read.IsCompleted)
                throw GrpcRefusal.BrokenOff();
            seen = buffer.Length;
            try
            {
                Take(seen);
            }
            finally
            {
                body.AdvanceTo(buffer.Start, buffer.End);
            }
        }
    }

    /// <summary>
    /// What was taken for a message counts while it is answered, since the message takes as much: until the next is asked
    /// for, the call ends, or a stream that may last for days says that it goes on without it.
    /// </summary>
    public void GiveBack()
    {
        load.GiveBytes(_taken);
        _taken = 0;
    }

    public void Dispose() => GiveBack();

    /// <summary>Counts what has come of a message that is not whole yet.</summary>
    private void Take(long bytes)
    {
        if (bytes <= RequestLoad.BytesFree || bytes <= _taken)
            return;
        load.TakeBytes(bytes - _taken);
        _taken = bytes;
        _reads.Begin(bytes);
    }

    private int LengthOf(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        if (prefix[0] > 1)
            throw new GrpcRefusal(GrpcStatus.Internal, ErrorCode.InvalidArgument, $"A message begins with its compressed flag, 0 or 1; this is {prefix[0]}.");
        if (prefix[0] == 1)
            throw new GrpcRefusal(GrpcStatus.Unimplemented, ErrorCode.InvalidArgument, "The message is compressed; this server takes identity only.");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > messageBytesMax)
            throw new GrpcRefusal(GrpcStatus.ResourceExhausted, ErrorCode.LimitExceeded, $"The message is {length} bytes long; the limit is {messageBytesMax} (setting limits.commit_bytes_max).");
        return (int)length;
    }

    private static T Parse<T>(MessageParser<T> parser, in ReadOnlySequence<byte> bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new GrpcRefusal(GrpcStatus.InvalidArgument, ErrorCode.InvalidArgument, $"The message cannot be read: {error.Message}");
        }
    }
}
