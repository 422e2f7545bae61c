using System.Numerics;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>How much this gateway does at once, and its bounds: beyond them a caller is told to come back (SH-2003).</summary>
/// <param name="requestsMax">Requests being answered.</param>
/// <param name="streamsMax">Streams open.</param>
/// <param name="bytesMax">Bytes of request bodies held: <see cref="BytesMaxOf"/>.</param>
/// <param name="pace">How fast a body must come that is counted.</param>
internal sealed class RequestLoad(int requestsMax, int streamsMax, long bytesMax, BodyPace pace)
{
    /// <summary>Bodies up to this are not counted: the bound on requests bounds them.</summary>
    public const int BytesFree = 16 * 1024;

    private long _bytes;
    private int _requests;
    private int _streams;

    /// <summary><c>limits.request_bytes_max</c>, but never less than one body takes that <c>limits.commit_bytes_max</c> allows.</summary>
    public static long BytesMaxOf(Limits limits) => Math.Max(
        limits.RequestBytesMax,
        // RequestBody's arrays come in powers of two; MessageReader counts a message's prefix too.
        MessageReader.PrefixBytes + (long)BitOperations.RoundUpToPowerOf2((uint)limits.CommitBytesMax));

    public BodyPace Pace => pace;

    public int Requests => Volatile.Read(ref _requests);

    public int Streams => Volatile.Read(ref _streams);

    /// <summary>Counts a request in, also one that is then refused: <see cref="Leave"/> follows either way.</summary>
    public bool Enter() => Interlocked.Increment(ref _requests) <= requestsMax;

    public JournalBusyException TooMany() =>
        new($"More than {requestsMax} requests are in flight. Nothing was done; try again shortly.");

    /// <summary>Counts bytes of a body in, before they are held. Whoever took them gives them back.</summary>
    /// <exception cref="JournalBusyException">SH-2003. None of them count.</exception>
    public void TakeBytes(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= bytesMax)
            return;
        Interlocked.Add(ref _bytes, -bytes);
        throw new JournalBusyException(
            $"The bodies of the requests in flight would hold more than {bytesMax} bytes (setting limits.request_bytes_max). Nothing was done; try again shortly.");
    }

    public void GiveBytes(long bytes) => Interlocked.Add(ref _bytes, -bytes);

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
