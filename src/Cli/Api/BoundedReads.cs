namespace Statehouse.Cli;

/// <summary>Reads an answer; a server that falls silent or away in the middle of it is an <see cref="UnreachableFailure"/>.</summary>
internal sealed class BoundedReads(Stream inner, string server) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(StatehouseApi.SilenceBound);
        try
        {
            return await inner.ReadAsync(buffer, bounded.Token);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UnreachableFailure($"{server} fell silent in the middle of an answer", error);
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw new UnreachableFailure($"{server} broke off an answer: {error.Message}", error);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
