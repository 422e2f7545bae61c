using System.Buffers;
using System.IO.Pipelines;
using System.Numerics;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>A request body in one rented array.</summary>
internal sealed class RequestBody : IDisposable
{
    // What is announced need not come: room is made for what does.
    private const int FirstBytes = RequestLoad.BytesFree;

    private readonly RequestLoad _load;
    private readonly PipeReader _reader;
    private readonly PacedReads _reads;
    private byte[] _bytes;
    private int _length;
    private int _taken;

    private RequestBody(PipeReader reader, RequestLoad load, int capacity)
    {
        _load = load;
        _reader = reader;
        _reads = new PacedReads(reader, load.Pace);
        _bytes = capacity == 0 ? [] : ArrayPool<byte>.Shared.Rent(capacity);
    }

    public ReadOnlySpan<byte> Utf8 => _bytes.AsSpan(0, _length);

    /// <summary>Reads the whole body, but never more than the limit and a little: a longer one is refused at once where it
    /// says its length, else as soon as it has passed the limit.</summary>
    /// <param name="request">Whose body.</param>
    /// <param name="load">Counts what bodies hold at once.</param>
    /// <param name="bytesMax">The limit.</param>
    /// <param name="cancellationToken">The client has gone.</param>
    /// <exception cref="RefusedException">SH-1004.</exception>
    /// <exception cref="Statehouse.Journal.JournalBusyException">SH-2003: all bodies together are too large.</exception>
    /// <exception cref="BadHttpRequestException">It is malformed, or comes more slowly than <see cref="RequestLoad.Pace"/>.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpRequest request, RequestLoad load, int bytesMax, CancellationToken cancellationToken)
    {
        long? length = request.ContentLength;
        if (length > bytesMax)
            throw TooLong(bytesMax, length.Value);
        var body = new RequestBody(request.BodyReader, load, (int)Math.Min(length ?? 0, FirstBytes));
        try
        {
            if (length != 0)
                await body.FillAsync(bytesMax, cancellationToken);
            return body;
        }
        catch (Exception error)
        {
            body.Dispose();
            // Too much is held: the rest is not to come here either, and the client tries again on another connection.
            if (error is Statehouse.Journal.JournalBusyException)
                request.HttpContext.Response.Headers.Connection = "close";
            throw;
        }
    }

    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        _length = 0;
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
        _load.GiveBytes(_taken);
        _taken = 0;
    }

    private async ValueTask FillAsync(int bytesMax, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result = await ReadMoreAsync(cancellationToken);
            long total = _length + result.Buffer.Length;
            if (total > bytesMax)
            {
                _reader.AdvanceTo(result.Buffer.End);
                throw TooLong(bytesMax, total);
            }
            try
            {
                Append(result.Buffer);
            }
            finally
            {
                // Also where there is no room: Kestrel reads on from here when it closes the connection.
                _reader.AdvanceTo(result.Buffer.End);
            }
            if (result.IsCompleted)
                return;
        }
    }

    /// <exception cref="BadHttpRequestException">What was sent is no body, or comes too slowly.</exception>
    private async ValueTask<ReadResult> ReadMoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _reads.ReadAsync(_length, cancellationToken);
        }
        catch (IOException error) when (error.InnerException is OverflowException)
        {
            // Kestrel's way to say that a chunk's size is too large for its counter; all else it says as a bad request.
            throw new BadHttpRequestException(error.Message, StatusCodes.Status400BadRequest, error);
        }
    }

    private void Append(in ReadOnlySequence<byte> bytes)
    {
        int needed = _length + (int)bytes.Length;
        if (needed > _bytes.Length)
        {
            int wanted = Math.Max(needed, _bytes.Length * 2);
            if (wanted > RequestLoad.BytesFree)
            {
                // Arrays come in powers of two. Counted before it is rented: the one before it is given back below.
                wanted = (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)wanted), Array.MaxLength);
                _load.TakeBytes(wanted - _taken);
                _taken = wanted;
                _reads.Begin(needed);
            }
            byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
            Utf8.CopyTo(larger);
            if (_bytes.Length > 0)
                ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length = needed;
    }

    private static RefusedException TooLong(int bytesMax, long seen) =>
        RefusedException.OverLimit("body", "commit_bytes_max", bytesMax, seen);
}
