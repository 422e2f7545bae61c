using System.Globalization;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>The query parameters that say as of when, and how fresh, a read is to be.</summary>
internal static class ReadPoints
{
    internal const string Rfc3339 = "a time by RFC 3339 with an offset and at most 7 decimals, like 2026-01-31T09:05:00.000123Z";

    /// <summary><c>at</c>, <c>at_version</c> and, where the route has it, <c>key_version</c>: at most one of them.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static ReadPoint Parse(in Query query, TimeProvider clock, bool ofOneKey)
    {
        bool at = query.Has("at");
        bool atVersion = query.Has("at_version");
        bool keyVersion = ofOneKey && query.Has("key_version");
        if ((at ? 1 : 0) + (atVersion ? 1 : 0) + (keyVersion ? 1 : 0) > 1)
            throw RefusedException.Invalid(
                at ? "at" : "at_version", ofOneKey ? "the only one of at, at_version and key_version" : "the only one of at and at_version", "one of several");
        if (at)
            return ReadPoint.AtTime(Time(query.Text("at")!, clock));
        if (atVersion)
            return ReadPoint.AtVersion(query.AgentVersion("at_version")!.Value);
        return keyVersion
            ? ReadPoint.AtKeyVersion(new KeyVersion(query.Number("key_version", 0, long.MaxValue)!.Value))
            : ReadPoint.Latest;
    }

    /// <summary><c>consistency</c>: default or strong; strong only makes sense for the latest state.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static Consistency Consistency(in Query query, ReadPoint at)
    {
        if (query.Choice("consistency", "default", "strong") == "default")
            return Agents.Consistency.Default;
        return at == ReadPoint.Latest
            ? Agents.Consistency.Strong
            : throw RefusedException.Invalid("consistency", "absent from a read of the past", "\"strong\"");
    }

    private static CommitTime Time(string text, TimeProvider clock)
    {
        if (!TryParse(text, out DateTimeOffset time))
            throw RefusedException.Invalid("at", Rfc3339, Query.Shown(text));
        CommitTime moment = CommitTime.From(time);
        CommitTime now = CommitTime.From(clock.GetUtcNow());
        if (moment > now)
            throw RefusedException.Invalid("at", $"not in the future (now is {now})", moment.ToString());
        return moment;
    }

    /// <summary>RFC 3339 section 5.6. An unencoded <c>+</c> of an offset arrives as a space, and can mean nothing else there.</summary>
    internal static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        string upper = text.ToUpperInvariant();
        if (!upper.EndsWith('Z'))
        {
            if (upper.Length < 6 || upper[^3] != ':' || upper[^6] is not ('+' or '-' or ' '))
                return false;
            if (upper[^6] == ' ')
                upper = upper[..^6] + "+" + upper[^5..];
        }
        // ".F" alone would let a dot without decimals pass.
        string format = upper.Contains('.') ? "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK" : "yyyy-MM-dd'T'HH:mm:ssK";
        int dot = upper.IndexOf('.');
        if (dot >= 0 && (dot + 1 >= upper.Length || !char.IsAsciiDigit(upper[dot + 1])))
            return false;
        return DateTimeOffset.TryParseExact(upper, format, CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
    }
}
