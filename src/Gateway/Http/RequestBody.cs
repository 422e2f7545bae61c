using System.Buffers;
using System.IO.Pipelines;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>A request body in one rented array.</summary>
internal sealed class RequestBody : IDisposable
{
    private byte[] _bytes;
    private int _length;

    private RequestBody(int capacity) => _bytes = capacity == 0 ? [] : ArrayPool<byte>.Shared.Rent(capacity);

    public ReadOnlySpan<byte> Utf8 => _bytes.AsSpan(0, _length);

    /// <summary>Reads the whole body, but never more than the limit and a little: a longer one is refused at once where it
    /// says its length, else as soon as it has passed the limit.</summary>
    /// <param name="request">Whose body.</param>
    /// <param name="bytesMax">The limit.</param>
    /// <param name="cancellationToken">The client has gone.</param>
    /// <exception cref="RefusedException">SH-1004.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpRequest request, int bytesMax, CancellationToken cancellationToken)
    {
        long? length = request.ContentLength;
        if (length > bytesMax)
            throw TooLong(bytesMax, length.Value);
        var body = new RequestBody((int)(length ?? 0));
        try
        {
            if (length != 0)
                await body.FillAsync(request.BodyReader, bytesMax, cancellationToken);
            return body;
        }
        catch
        {
            body.Dispose();
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
    }

    private async ValueTask FillAsync(PipeReader reader, int bytesMax, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result = await ReadMoreAsync(reader, cancellationToken);
            long total = _length + result.Buffer.Length;
            if (total > bytesMax)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw TooLong(bytesMax, total);
            }
            Append(result.Buffer);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }

    /// <exception cref="BadHttpRequestException">What was sent is no body.</exception>
    private static async ValueTask<ReadResult> ReadMoreAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(cancellationToken);
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
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _bytes.Length * 2));
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
