using System.Globalization;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// A query string, read strictly: a parameter that the route does not know, or that is given twice where it means one
/// thing, is refused, so that a typo never silently means "everything". <c>+</c> stands for a space, as browsers and most clients send it.
/// </summary>
internal readonly struct Query
{
    // Separates pairs, so no value holds it unescaped.
    private const char RepeatSeparator = '&';

    private readonly string[] _names;
    private readonly string?[] _rawValues;

    private Query(string[] names, string?[] rawValues)
    {
        _names = names;
        _rawValues = rawValues;
    }

    /// <param name="text">What follows the question mark.</param>
    /// <param name="names">What the route knows.</param>
    /// <param name="repeatable">Those of them that may be given several times.</param>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static Query Parse(ReadOnlySpan<char> text, string[] names, string[] repeatable)
    {
        if (text.IsEmpty)
            return new Query(names, []);
        string?[] rawValues = new string?[names.Length];
        foreach (Range range in text.Split('&'))
        {
            ReadOnlySpan<char> pair = text[range];
            if (pair.IsEmpty)
                continue;
            int equals = pair.IndexOf('=');
            string name = PercentText.DecodeText("query", equals < 0 ? pair : pair[..equals], plusIsSpace: true);
            int index = Array.IndexOf(names, name);
            if (index < 0)
                throw Unknown(name, names);
            string rawValue = equals < 0 ? "" : pair[(equals + 1)..].ToString();
            if (rawValues[index] is not null && !repeatable.Contains(name))
                throw RefusedException.Invalid(name, "given once", "given twice");
            else if (rawValues[index] is { } first)
                rawValue = first + RepeatSeparator + rawValue;
            rawValues[index] = rawValue;
        }
        return new Query(names, rawValues);
    }

    public bool Has(string name) => Raw(name) is not null;

    public string? Text(string name) =>
        Raw(name) is { } raw ? PercentText.DecodeText(name, raw, plusIsSpace: true) : null;

    /// <summary>All values of a parameter that may be given several times, in order.</summary>
    public string[] Texts(string name) =>
        Raw(name) is { } raw ? [.. raw.Split(RepeatSeparator).Select(one => PercentText.DecodeText(name, one, plusIsSpace: true))] : [];

    /// <summary>The bytes as a key; default where the parameter is absent or empty.</summary>
    public Key Key(string name) =>
        Raw(name) is { Length: > 0 } raw ? new Key(PercentText.Decode(name, raw, plusIsSpace: true)) : default;

    /// <summary>An integer in plain digits.</summary>
    /// <exception cref="RefusedException">SH-1003: a sign, a leading zero, anything but digits, or out of range.</exception>
    public long? Number(string name, long min, long max)
    {
        if (Text(name) is not { } text)
            return null;
        return TryNumber(text, out long value) && value >= min && value <= max
            ? value
            : throw RefusedException.Invalid(
                name, string.Create(CultureInfo.InvariantCulture, $"an integer from {min} to {max}"), Shown(text));
    }

    public int Limit(Limits limits) => (int)(Number("limit", 1, limits.PageMax) ?? limits.PageDefault);

    public AgentVersion? AgentVersion(string name) =>
        Number(name, 0, long.MaxValue) is { } value ? new AgentVersion(value) : null;

    public bool Flag(string name) => Choice(name, "false", "true") == "true";

    /// <summary>One of a few words.</summary>
    /// <returns>The first of <paramref name="words"/> where the parameter is absent.</returns>
    public string Choice(string name, params ReadOnlySpan<string> words)
    {
        if (Text(name) is not { } text)
            return words[0];
        foreach (string word in words)
        {
            if (text == word)
                return word;
        }
        throw RefusedException.Invalid(name, "one of " + string.Join(", ", words), Shown(text));
    }

    public static bool TryNumber(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        bool leadingZero = text.Length > 1 && text[0] == '0';
        return !leadingZero && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>A caller's text, short enough for a message.</summary>
    public static string Shown(string text) => text.Length <= 80 ? $"\"{text}\"" : $"\"{text[..80]}…\"";

    private string? Raw(string name)
    {
        if (_rawValues.Length == 0)
            return null;
        int index = Array.IndexOf(_names, name);
        return index >= 0
            ? _rawValues[index]
            : throw new InvalidOperationException($"The route reads the query parameter {name} without declaring it.");
    }

    private static RefusedException Unknown(string name, string[] names) =>
        RefusedException.Invalid(
            name.Length == 0 ? "query" : Shown(name).Trim('"'),
            names.Length == 0 ? "absent: this route has no query parameters" : "one of " + string.Join(", ", names),
            "an unknown query parameter");
}
