using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>One call on its way through a method: the <see cref="GrpcDoor"/> makes it, hands it in, and disposes it.</summary>
internal sealed class GrpcCall(
    HttpContext http, RequestLoad load, int messageBytesMax, TimeSpan piecePatience, TimeProvider clock, CancellationToken stopping) : IDisposable
{
    // What a timer can count; a deadline further away is none.
    private static readonly TimeSpan DeadlineMax = TimeSpan.FromMilliseconds(int.MaxValue);

    private CancellationTokenSource? _deadline;
    private CancellationTokenSource? _withDeadline;
    private CancellationTokenSource? _withStop;
    private string? _requestId;
    private bool _isStream;

    public HttpContext Http { get; } = http;

    /// <summary>Null until the door has found it.</summary>
    public GrpcMethod? Method { get; set; }

    public MessageReader Requests { get; } = new(http.Request.BodyReader, load, messageBytesMax);

    public MessageWriter Replies { get; } = new(http.Response, piecePatience, clock);

    /// <summary>Ends the call's work: the client has gone or cancelled, the deadline has passed, or a stream is cut by the server's stop.</summary>
    public CancellationToken Ending { get; private set; } = http.RequestAborted;

    public bool IsOverdue => _deadline is { IsCancellationRequested: true };

    public bool IsStopping => _isStream && stopping.IsCancellationRequested;

    public bool HasGone => Http.RequestAborted.IsCancellationRequested;

    public string RequestId => _requestId ??= RequestIds.For(Http);

    /// <exception cref="RefusedException">SH-1003: the header is not a timeout.</exception>
    /// <exception cref="OperationCanceledException">It has passed already.</exception>
    public void StartDeadline()
    {
        string? timeout = Http.Request.Headers[GrpcTimeout.Header];
        if (timeout is null || GrpcTimeout.Parse(timeout) is var left && left > DeadlineMax)
            return;
        _deadline = left > TimeSpan.Zero ? new CancellationTokenSource(left, clock) : Passed();
        _withDeadline = CancellationTokenSource.CreateLinkedTokenSource(Ending, _deadline.Token);
        Ending = _withDeadline.Token;
        Ending.ThrowIfCancellationRequested();
    }

    /// <summary>Waits for an answer no longer than the caller does; what goes on behind it touches nothing of this call.</summary>
    /// <exception cref="OperationCanceledException">The deadline has passed.</exception>
    public ValueTask<T> WithinDeadlineAsync<T>(ValueTask<T> answer) =>
        _deadline is null || answer.IsCompleted ? answer : new ValueTask<T>(answer.AsTask().WaitAsync(Ending));

    /// <summary>From here on this call counts as a stream, not as a request in flight, and the server's stop ends it.</summary>
    /// <exception cref="JournalBusyException">SH-2003: too many streams are open.</exception>
    public void BecomeStream()
    {
        load.RequestBecomesStream();
        _isStream = true;
        _withStop = CancellationTokenSource.CreateLinkedTokenSource(Ending, stopping);
        Ending = _withStop.Token;
    }

    public void Dispose()
    {
        Requests.Dispose();
        load.Leave(_isStream);
        _withStop?.Dispose();
        _withDeadline?.Dispose();
        _deadline?.Dispose();
    }

    private static CancellationTokenSource Passed()
    {
        var passed = new CancellationTokenSource();
        passed.Cancel();
        return passed;
    }
}
