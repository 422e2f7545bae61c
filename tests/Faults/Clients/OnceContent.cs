using System.Net;

namespace Statehouse.Faults.Clients;

/// <summary>
/// A request's body that can leave once only. <see cref="SocketsHttpHandler"/> sends a request again by itself where a pooled
/// connection was closed before any byte of a reply and no byte of a body had been asked for; a request without a body, also a POST,
/// may so be sent twice. With this body it cannot: every request that writes has one, and a second attempt fails.
/// </summary>
internal sealed class OnceContent : HttpContent
{
    private readonly byte[] _bytes;
    private int _started;

    public OnceContent(byte[] bytes, string mediaType)
    {
        _bytes = bytes;
        Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(mediaType);
    }

    /// <summary>False: no byte of the body has left this process, so no server can have acted.</summary>
    public bool HasStarted => Volatile.Read(ref _started) != 0;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
            throw new IOException("The handler tried to send this request a second time.");
        await stream.WriteAsync(_bytes, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _bytes.Length;
        return true;
    }
}
