using System.Globalization;
using System.Text;
using System.Text.Json;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>The members that one kind of object may have, at most 32.</summary>
internal sealed class MemberSet(params string[] names)
{
    public IReadOnlyList<string> Names { get; } = names;

    public byte[][] Utf8Names { get; } = [.. names.Select(Encoding.UTF8.GetBytes)];

    public override string ToString() => string.Join(", ", Names);
}

/// <summary>
/// Walks a request body strictly, without a document: unknown, repeated and wrongly typed members are refused by path
/// (SH-1003). A malformed text throws <see cref="JsonException"/>, which <see cref="Malformed"/> turns into a refusal.
/// </summary>
internal ref struct JsonBody
{
    private readonly ReadOnlySpan<byte> _utf8;
    private readonly int _depthMax;
    private Utf8JsonReader _reader;

    /// <param name="utf8">The whole body.</param>
    /// <param name="depthMax">Levels of nesting allowed inside a value.</param>
    public JsonBody(ReadOnlySpan<byte> utf8, int depthMax)
    {
        // commits > commit > operations > operation > value, and one level more so that a value that is one too deep
        // is refused under its own name.
        const int levelsAroundValues = 6;
        _utf8 = utf8;
        _depthMax = depthMax;
        _reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = depthMax + levelsAroundValues });
        if (utf8.IsEmpty)
            throw RefusedException.Invalid("body", "a JSON object", "empty");
        _reader.Read();
    }

    public static RefusedException Malformed(JsonException error)
    {
        string reason = error.Message;
        int suffix = reason.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (suffix >= 0)
            reason = reason[..suffix];
        string where = string.Create(
            CultureInfo.InvariantCulture, $"not: line {error.LineNumber + 1}, byte {error.BytePositionInLine}: {reason}");
        return RefusedException.Invalid("body", "valid JSON", where);
    }

    /// <summary>The value is JSON's null.</summary>
    public readonly bool IsNull => _reader.TokenType == JsonTokenType.Null;

    public readonly void ExpectObject(JsonPath path) => ExpectObject(path.ToString() is { Length: > 0 } at ? at : "body");

    public readonly void ExpectObject(string field)
    {
        if (_reader.TokenType != JsonTokenType.StartObject)
            throw Wrong(field, "an object");
    }

    /// <summary>Goes to the next member's value.</summary>
    /// <param name="path">Of the object.</param>
    /// <param name="members">What may stand in it.</param>
    /// <param name="seen">One bit per member met so far; start with 0.</param>
    /// <param name="member">The member's index in <paramref name="members"/>.</param>
    /// <returns>false at the end of the object.</returns>
    public bool NextMember(JsonPath path, MemberSet members, ref uint seen, out int member)
    {
        _reader.Read();
        member = -1;
        if (_reader.TokenType == JsonTokenType.EndObject)
            return false;
        byte[][] names = members.Utf8Names;
        for (int i = 0; i < names.Length && member < 0; i++)
        {
            if (TokenIs(path, member: null, names[i]))
                member = i;
        }
        if (member < 0)
            throw RefusedException.Invalid(path.Member(ShownName()), $"one of {members}", "an unknown member");
        if ((seen & (1u << member)) != 0)
            throw RefusedException.Invalid(path.Member(members.Names[member]), "given once", "given twice");
        seen |= 1u << member;
        _reader.Read();
        return true;
    }

    /// <summary>As the other for an object that is a member of the body.</summary>
    /// <param name="field">The object's own name.</param>
    /// <param name="members">What may stand in it.</param>
    /// <param name="seen">One bit per member met so far; start with 0.</param>
    /// <param name="member">The member's index in <paramref name="members"/>.</param>
    public bool NextMember(string field, MemberSet members, ref uint seen, out int member)
    {
        member = -1;
        if (!NextName(out string name))
            return false;
        for (int i = 0; i < members.Names.Count && member < 0; i++)
        {
            if (members.Names[i] == name)
                member = i;
        }
        if (member < 0)
            throw RefusedException.Invalid($"{field}.{Query.Shown(name).Trim('"')}", $"one of {members}", "an unknown member");
        if ((seen & (1u << member)) != 0)
            throw RefusedException.Invalid($"{field}.{name}", "given once", "given twice");
        seen |= 1u << member;
        return true;
    }

    /// <summary>Goes to the value of the next member, whatever its name is.</summary>
    /// <returns>false at the end of the object.</returns>
    public bool NextName(out string name)
    {
        _reader.Read();
        name = "";
        if (_reader.TokenType == JsonTokenType.EndObject)
            return false;
        try
        {
            name = _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode("body");
        }
        _reader.Read();
        return true;
    }

    /// <summary>Goes to the next item of an array, or returns false at its end.</summary>
    public bool NextItem()
    {
        _reader.Read();
        return _reader.TokenType != JsonTokenType.EndArray;
    }

    public readonly void ExpectArray(string field)
    {
        if (_reader.TokenType != JsonTokenType.StartArray)
            throw Wrong(field, "an array");
    }

    /// <summary>An integer 0..2^63-1; null where the member is JSON's null.</summary>
    public readonly long? WholeNumberOrNull(string field)
    {
        if (_reader.TokenType == JsonTokenType.Null)
            return null;
        if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out long value) || value < 0)
            throw Wrong(field, "an integer from 0 to 9223372036854775807");
        return value;
    }

    /// <summary>true or false; null counts as false.</summary>
    public readonly bool Flag(string field) => _reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.Null => false,
        _ => throw Wrong(field, "true or false"),
    };

    public readonly string? StringOrNull(string field) =>
        _reader.TokenType == JsonTokenType.Null ? null : String(field);

    public readonly string String(string field)
    {
        if (_reader.TokenType != JsonTokenType.String)
            throw Wrong(field, "a string");
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode(field);
        }
    }

    public readonly Key Key(JsonPath path)
    {
        if (_reader.TokenType == JsonTokenType.String && !_reader.ValueIsEscaped
            && Agents.Key.TryParse(_reader.ValueSpan, out Key key))
            return key;
        return new Key(String(path.Member("key")));
    }

    public readonly bool TextIs(JsonPath path, string member, ReadOnlySpan<byte> utf8) =>
        _reader.TokenType == JsonTokenType.String && TokenIs(path, member, utf8);

    /// <summary>The value as it was written, checked; also JSON's null, which is a value like any other.</summary>
    public JsonText Value(string field)
    {
        int start = (int)_reader.TokenStartIndex;
        _reader.Skip();
        return JsonText.Parse(field, _utf8[start..(int)_reader.BytesConsumed], _depthMax);
    }

    /// <summary>As <see cref="Value"/> for a member that may be null (= absent) and otherwise is an object.</summary>
    public JsonText ObjectOrNull(string field)
    {
        if (_reader.TokenType == JsonTokenType.Null)
            return default;
        if (_reader.TokenType != JsonTokenType.StartObject)
            throw Wrong(field, "an object");
        return Value(field);
    }

    /// <summary>Throws <see cref="JsonException"/> where anything but white space follows.</summary>
    public void ExpectEnd() => _reader.Read();

    public readonly RefusedException Wrong(string field, string mustBe) =>
        RefusedException.Invalid(field, mustBe, Seen());

    /// <summary>Whether the name (of no member yet) or the member's string at hand is this one, however it is escaped.</summary>
    private readonly bool TokenIs(JsonPath path, string? member, ReadOnlySpan<byte> utf8)
    {
        if (!_reader.ValueIsEscaped)
            return _reader.ValueSpan.SequenceEqual(utf8);
        try
        {
            return _reader.ValueTextEquals(utf8);
        }
        catch (InvalidOperationException)
        {
            // Its escapes are JSON, but not text: half of a surrogate pair.
            throw NotUnicode(path.Member(member ?? ShownName()));
        }
    }

    private static RefusedException NotUnicode(string field) =>
        RefusedException.Invalid(field, "well-formed Unicode", "not: invalid UTF-8 or an unpaired surrogate");

    private readonly string Seen() => _reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string" + Excerpt(),
        JsonTokenType.Number => "the number" + Excerpt(),
        JsonTokenType.Null => "null",
        _ => "a boolean",
    };

    private readonly string Excerpt() =>
        _reader.ValueSpan.Length <= 40 ? " " + Encoding.UTF8.GetString(_reader.ValueSpan) : "";

    private readonly string ShownName() =>
        _reader.ValueSpan.Length <= 64
            ? Encoding.UTF8.GetString(_reader.ValueSpan)
            : Encoding.UTF8.GetString(_reader.ValueSpan[..64]) + "…";
}
