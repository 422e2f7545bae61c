using System.IO.Pipelines;

namespace Statehouse.Gateway;

/// <summary>How fast a body must come from the moment on that it is counted: what it holds, others cannot have.</summary>
/// <param name="Grace">How long it may take whatever it brings.</param>
/// <param name="BytesPerSecondMin">What it must have brought on average when that has passed.</param>
/// <param name="Clock">Time.</param>
internal sealed record BodyPace(TimeSpan Grace, int BytesPerSecondMin, TimeProvider Clock)
{
    public static BodyPace Of(GatewayOptions options, TimeProvider clock) => new(options.BodyGrace, options.BodyBytesPerSecondMin, clock);
}

/// <summary>
/// Reads of one body. Kestrel's own minimum, 240 bytes a second, is for connections, of which there may be many; under it
/// a few clients could hold all of <c>limits.request_bytes_max</c> for hours.
/// </summary>
internal sealed class PacedReads(PipeReader body, BodyPace pace)
{
    // What a timer can count.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMilliseconds(int.MaxValue);

    private long? _begun;
    private long _bytesBefore;

    /// <summary>The body is counted from here on; again and again is once.</summary>
    /// <param name="bytes">What has come of it.</param>
    public void Begin(long bytes)
    {
        if (_begun is not null)
            return;
        _begun = pace.Clock.GetTimestamp();
        _bytesBefore = bytes;
    }

    /// <summary>Nothing of it is counted any more.</summary>
    public void End() => _begun = null;

    /// <summary>As <see cref="PipeReader.ReadAsync"/>.</summary>
    /// <param name="bytes">What has come so far.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BadHttpRequestException">408. It comes too slowly.</exception>
    public async ValueTask<ReadResult> ReadAsync(long bytes, CancellationToken cancellationToken)
    {
        if (_begun is not { } begun)
            return await body.ReadAsync(cancellationToken);
        // What is there already is not the client's delay, but ours.
        if (body.TryRead(out ReadResult waiting))
            return waiting;
        TimeSpan left = pace.Grace + TimeSpan.FromSeconds((double)(bytes - _bytesBefore) / pace.BytesPerSecondMin) - pace.Clock.GetElapsedTime(begun);
        if (left <= TimeSpan.Zero)
            throw TooSlow();
        using var bound = new CancellationTokenSource(left < PatienceMax ? left : PatienceMax, pace.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        try
        {
            return await body.ReadAsync(both.Token);
        }
        catch (OperationCanceledException) when (bound.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw TooSlow();
        }
    }

    private BadHttpRequestException TooSlow() => new(
        $"The body comes too slowly: one of more than {RequestLoad.BytesFree} bytes has {pace.Grace.TotalSeconds:0.###} s, and beyond that must bring {pace.BytesPerSecondMin} bytes a second.",
        StatusCodes.Status408RequestTimeout);
}
