using System.Text;
using Statehouse.FrontDoors.Tests.Fuzzing;

namespace Statehouse.FrontDoors.Tests.Http;

/// <summary>What is sent.</summary>
/// <param name="Bytes">All of it.</param>
/// <param name="OwesAnswer">Its end can be told: the server owes an answer.</param>
/// <param name="IsOne">One answer is enough; otherwise all are waited for, also such as should not come.</param>
internal sealed record HttpCase(byte[] Bytes, bool OwesAnswer, bool IsOne = false);

/// <summary>Makes requests that no client would send of valid ones.</summary>
internal static class HttpMutator
{
    private static readonly string[] Numbers =
        ["-1", "0", "9223372036854775808", "18446744073709551616", "1e400", "1E+1000000", "-0", "00", "0.0000000000000000000000001", "1.", "NaN", "2147483648"];

    private static readonly string[] Texts =
        ["\"\\ud800\"", "\"\\udc00x\"", "\"\\u0000\"", "\"\0\"", "\"\\x\"", "\"", "'a'", "\"\ufeff\"", "\"\\uD83D\\u0020\"", "tru", "//x\n1", "1,", "[1,]", "{\"a\":1,}", "\"\t\""];

    private static readonly string[] Targets =
        ["*", "", "//", "/v1/../../etc/passwd", "/%", "/%0", "/v1/%00", "http://[::1", "http://a@b/v1/version", "/v1/version#x", "/v1/version?%", "/v1//agents", "\\v1", "/v1/version\u0001", "/v1/feed?limit=1&limit=2", "/v1/feed?after=%zz"];

    private static readonly string[] Headers =
        [
            "Content-Length: -1", "Content-Length: 1", "Content-Length: 99999999999999999999", "Content-Length: 4\r\nContent-Length: 5", "Content-Length: +3", "Content-Length: 0x10",
            "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: gzip", "Transfer-Encoding: identity", "Transfer-Encoding: chunked\r\nContent-Length: 3", "Expect: 100-continue", "Expect: 7",
            "Connection: upgrade\r\nUpgrade: h2c", "Connection: close, keep-alive", "Host: a\r\nHost: b", "Host: a b", ": x", "A", "A B: x", " folded: x", "Content-Type: text/\0", "Content-Type: application/json; charset=utf-16",
            "Content-Encoding: gzip", "Accept: text/event-stream", "Last-Event-ID: 99999999999999999999", "If-Match: \"", "If-Match: \"1\", \"2\"", "If-Match: *", "If-None-Match: W/\"1\"", "Idempotency-Key: \u00ff", "Statehouse-Token: -1", "X-Request-Id: \u0080", "Range: bytes=0-1",
        ];

    public static HttpCase Mutate(Random random, ApiRequest request, ApiRequest other) => random.Next(12) switch
    {
        0 or 1 or 2 => new(ByteMutator.Mutate(random, request.ToBytes(), other.ToBytes()), OwesAnswer: false),
        3 or 4 => Whole(random, request with { Body = ByteMutator.Mutate(random, request.Body ?? [], other.Body ?? []) }),
        5 => Whole(random, request with { Body = Grammar(random, request.Body ?? "1"u8.ToArray()) }),
        6 => Whole(random, request with { Body = Nested(random) }),
        7 => new(With(request, Targets[random.Next(Targets.Length)], request.Headers), OwesAnswer: false),
        8 => new(With(request, request.Target, [.. request.Headers, Headers[random.Next(Headers.Length)]]), OwesAnswer: false),
        9 => Whole(random, request with { Target = Escaped(random, request.Target) }),
        10 => Pipelined(random, request, other),
        _ => new([.. request.ToBytes().AsSpan(0, random.Next(request.ToBytes().Length))], OwesAnswer: false),
    };

    private static HttpCase Whole(Random random, ApiRequest request) =>
        new(request.ToBytes(), OwesAnswer: true, IsOne: random.Next(8) > 0);

    private static byte[] With(ApiRequest request, string target, IReadOnlyList<string> headers) =>
        (request with { Target = target, Headers = headers }).ToBytes();

    private static HttpCase Pipelined(Random random, ApiRequest request, ApiRequest other)
    {
        var bytes = new List<byte>();
        for (int i = 1 + random.Next(20); i > 0; i--)
            bytes.AddRange(random.Next(2) == 0 ? request.ToBytes() : other.ToBytes());
        return new([.. bytes], OwesAnswer: true);
    }

    /// <summary>Replaces one JSON token, doubles a member, or puts something behind the end.</summary>
    private static byte[] Grammar(Random random, byte[] body)
    {
        string text = Encoding.UTF8.GetString(body);
        string inserted = random.Next(2) == 0 ? Numbers[random.Next(Numbers.Length)] : Texts[random.Next(Texts.Length)];
        int colon = text.IndexOf(':', random.Next(text.Length));
        string changed = random.Next(4) switch
        {
            0 => text + inserted,
            1 when text.StartsWith('{') && text.Length > 2 => "{" + text[1..^1] + "," + text[1..],
            _ when colon > 0 => text[..(colon + 1)] + inserted + text[TokenEnd(text, colon + 1)..],
            _ => inserted,
        };
        return Encoding.UTF8.GetBytes(changed);
    }

    private static int TokenEnd(string text, int start)
    {
        int end = text.AsSpan(start).IndexOfAny(',', '}', ']');
        return end < 0 ? text.Length : start + end;
    }

    private static byte[] Nested(Random random)
    {
        int depth = random.Next(3) == 0 ? 200_000 : 60 + random.Next(10);
        (string open, string close) = random.Next(2) == 0 ? ("[", "]") : ("{\"a\":", "}");
        string opened = string.Concat(Enumerable.Repeat(open, depth));
        return Encoding.ASCII.GetBytes(random.Next(2) == 0 ? opened : opened + "1" + string.Concat(Enumerable.Repeat(close, depth)));
    }

    private static string Escaped(Random random, string target)
    {
        string[] pieces = ["%00", "%", "%4", "%ff%fe", "%c0%80", "%ed%a0%80", "%2F..%2F", "%0d%0aX-Evil:%201", "+", "%2B", "%F4%90%80%80", "&", "=", "?", "?limit=0", "?limit=99999999999", "&at=1", new string('a', 2000)];
        int at = 1 + random.Next(target.Length - 1);
        return target[..at] + pieces[random.Next(pieces.Length)] + target[at..];
    }
}
