namespace Statehouse.Journal;

/// <summary>
/// A commit's body as bytes: canonical JSON, one object, and where a line feed follows directly on that object, a detail
/// behind it.
/// </summary>
/// <remarks>
/// Not every line feed ends the canonical part: values keep the white space that they were written with, and so bodies
/// may hold line feeds inside of the object. Those are canonical like everything else in it.
/// </remarks>
public static class CommitBody
{
    /// <summary>Stands between the canonical part and the detail, and belongs to neither.</summary>
    public const byte DetailSeparator = (byte)'\n';

    /// <summary>Bytes of the canonical part: what the hash covers, and what is left when the detail is cut.</summary>
    /// <returns>The whole length where there is no detail, and where the body does not begin with a JSON object.</returns>
    public static int CanonicalLength(ReadOnlySpan<byte> body)
    {
        // Nearly all bodies hold no line feed, and looking for one is much cheaper than following the JSON.
        if (!body.Contains(DetailSeparator))
            return body.Length;
        int end = EndOfObject(body);
        return end < body.Length && body[end] == DetailSeparator ? end : body.Length;
    }

    /// <summary>Where the object that the body begins with has ended; the body's length where it does not end, or there is none.</summary>
    private static int EndOfObject(ReadOnlySpan<byte> body)
    {
        if (body[0] != '{')
            return body.Length;
        int depth = 0;
        int next = 0;
        while (IndexFrom(body, next, "\"{}"u8) is >= 0 and int at)
        {
            next = body[at] == '"' ? EndOfString(body, at) : at + 1;
            if (body[at] == '{')
                depth++;
            else if (body[at] == '}' && --depth == 0)
                return next;
        }
        return body.Length;
    }

    /// <param name="body">Holds the string.</param>
    /// <param name="start">Of its opening quote.</param>
    private static int EndOfString(ReadOnlySpan<byte> body, int start)
    {
        int next = start + 1;
        while (IndexFrom(body, next, "\"\\"u8) is >= 0 and int at)
        {
            if (body[at] == '"')
                return at + 1;
            next = at + 2; // a backslash and what it escapes
        }
        return body.Length;
    }

    private static int IndexFrom(ReadOnlySpan<byte> body, int start, ReadOnlySpan<byte> any)
    {
        if (start >= body.Length)
            return -1;
        int offset = body[start..].IndexOfAny(any);
        return offset < 0 ? -1 : start + offset;
    }
}
