using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Statehouse.FrontDoors.Tests.Http;

/// <summary>One reply as it came over the wire, checked against all that a reply of this server must be.</summary>
internal sealed partial record WireReply(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>What Kestrel refuses before there is a request to answer: without a body, as docs/api.md says.</summary>
    private static readonly int[] WithoutBody = [400, 405, 408, 411, 413, 414, 417, 431, 501, 505];

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 200 };

    public bool ClosesConnection => Headers.TryGetValue("connection", out string? value) && value.Contains("close", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads all replies that are whole.</summary>
    /// <param name="bytes">All that came.</param>
    /// <param name="rest">What is behind the last whole one.</param>
    /// <exception cref="FormatException">This is no HTTP.</exception>
    public static List<WireReply> ReadAll(ReadOnlySpan<byte> bytes, out int rest)
    {
        var replies = new List<WireReply>();
        int at = 0;
        while (TryRead(bytes[at..], out WireReply? reply, out int length))
        {
            if (reply!.Status != 100)
                replies.Add(reply);
            at += length;
        }
        rest = bytes.Length - at;
        return replies;
    }

    /// <exception cref="FormatException">It is not what this server may answer, whatever it was asked.</exception>
    public void Check()
    {
        if (Status is < 200 or >= 600)
            throw new FormatException($"A status of {Status}.");
        if (!Headers.ContainsKey("content-length") && !Headers.ContainsKey("transfer-encoding") && Status is not (204 or 304))
            throw new FormatException($"Status {Status} without a length.");
        string type = Headers.GetValueOrDefault("content-type", "");
        if (Body.Length == 0)
        {
            if (Status >= 400 && !(WithoutBody.Contains(Status) && ClosesConnection))
                throw new FormatException($"A {Status} without a body.");
            return;
        }
        if (Status >= 400 != type.StartsWith("application/problem+json", StringComparison.Ordinal))
            throw new FormatException($"A {Status} of type '{type}'.");
        if (type.Contains("json", StringComparison.Ordinal))
            CheckJson();
    }

    private void CheckJson()
    {
        using JsonDocument json = JsonDocument.Parse(Body, Deep);
        if (Status < 400)
            return;
        string code = json.RootElement.GetProperty("code").GetString()!;
        if (!Code().IsMatch(code) || json.RootElement.GetProperty("status").GetInt32() != Status
            || json.RootElement.GetProperty("request_id").GetString() is not { Length: > 0 })
            throw new FormatException($"A problem that is none: {Encoding.UTF8.GetString(Body)}");
        if (code == "SH-9001" || Status == 500)
            throw new FormatException($"The server broke: {Encoding.UTF8.GetString(Body)}");
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, out WireReply? reply, out int length)
    {
        reply = null;
        length = 0;
        int headEnd = bytes.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
            return false;
        string[] lines = Encoding.Latin1.GetString(bytes[..headEnd]).Split("\r\n");
        Match status = StatusLine().Match(lines[0]);
        if (!status.Success)
            throw new FormatException($"No status line: {lines[0]}");
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines.Skip(1))
        {
            Match header = HeaderLine().Match(line);
            if (!header.Success || !headers.TryAdd(header.Groups[1].Value, header.Groups[2].Value))
                throw new FormatException($"No header, or one twice: {line}");
        }
        int code = int.Parse(status.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        int start = headEnd + 4;
        if (!TryReadBody(bytes[start..], headers, code, out byte[] body, out int bodyLength))
            return false;
        reply = new WireReply(code, headers, body);
        length = start + bodyLength;
        return true;
    }

    private static bool TryReadBody(ReadOnlySpan<byte> bytes, Dictionary<string, string> headers, int status, out byte[] body, out int length)
    {
        body = [];
        length = 0;
        if (status is 100 or 204 or 304)
            return true;
        if (headers.GetValueOrDefault("transfer-encoding") == "chunked")
            return TryReadChunks(bytes, out body, out length);
        length = int.Parse(headers.GetValueOrDefault("content-length", "0"), NumberStyles.None, CultureInfo.InvariantCulture);
        if (bytes.Length < length)
            return false;
        body = bytes[..length].ToArray();
        return true;
    }

    private static bool TryReadChunks(ReadOnlySpan<byte> bytes, out byte[] body, out int length)
    {
        var gathered = new List<byte>();
        body = [];
        length = 0;
        while (true)
        {
            int line = bytes[length..].IndexOf("\r\n"u8);
            if (line < 0)
                return false;
            if (!int.TryParse(Encoding.Latin1.GetString(bytes.Slice(length, line)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int size))
                throw new FormatException("A chunk without a size.");
            int end = length + line + 2 + size + 2;
            if (bytes.Length < end)
                return false;
            if (bytes[end - 2] != '\r' || bytes[end - 1] != '\n')
                throw new FormatException("A chunk that does not end where it says.");
            gathered.AddRange(bytes.Slice(length + line + 2, size));
            length = end;
            if (size > 0)
                continue;
            body = [.. gathered];
            return true;
        }
    }

    [GeneratedRegex(@"^HTTP/1\.1 (\d{3}) [ -~]*$")]
    private static partial Regex StatusLine();

    [GeneratedRegex(@"^([A-Za-z0-9\-]+): ([ -~]*)$")]
    private static partial Regex HeaderLine();

    [GeneratedRegex(@"^SH-\d{4}$")]
    private static partial Regex Code();
}
