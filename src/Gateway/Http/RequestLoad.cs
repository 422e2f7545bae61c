using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>How much this gateway does at once, and its bounds: beyond them a caller is told to come back (SH-2003).</summary>
internal sealed class RequestLoad(int requestsMax, int streamsMax)
{
    private int _requests;
    private int _streams;

    public int Requests => Volatile.Read(ref _requests);

    public int Streams => Volatile.Read(ref _streams);

    /// <summary>Counts a request in, also one that is then refused: <see cref="Leave"/> follows either way.</summary>
    public bool Enter() => Interlocked.Increment(ref _requests) <= requestsMax;

    public JournalBusyException TooMany() =>
        new($"More than {requestsMax} requests are in flight. Nothing was done; try again shortly.");

    /// <exception cref="JournalBusyException">SH-2003. The call stays a request.</exception>
    public void RequestBecomesStream()
    {
        if (Interlocked.Increment(ref _streams) > streamsMax)
        {
            Interlocked.Decrement(ref _streams);
            throw new JournalBusyException($"More than {streamsMax} streams are open. Try again later.");
        }
        Interlocked.Decrement(ref _requests);
    }

    public void Leave(bool isStream)
    {
        if (isStream)
            Interlocked.Decrement(ref _streams);
        else
            Interlocked.Decrement(ref _requests);
    }
}
