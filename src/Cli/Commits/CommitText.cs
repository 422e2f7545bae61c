using System.Globalization;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>A commit as it stands on the wire: its numbers read, its body's members left as the text that they are.</summary>
/// <param name="Raw">The whole of it.</param>
internal sealed record CommitText(ReadOnlyMemory<byte> Raw)
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>Only in the feed; null elsewhere.</summary>
    public string? Namespace { get; private set; }

    /// <summary>Only in the feed; null elsewhere.</summary>
    public string? Agent { get; private set; }

    public long Version { get; private set; }

    public long CommitTs { get; private set; }

    /// <summary>As on the wire: RFC 3339, six decimals.</summary>
    public string Time { get; private set; } = "";

    public string TxnId { get; private set; } = "";

    /// <summary>64 hexadecimal digits.</summary>
    public string Hash { get; private set; } = "";

    /// <summary>The array's text.</summary>
    public ReadOnlyMemory<byte> Operations { get; private set; }

    /// <summary>The JSON string's text; empty where there is none.</summary>
    public ReadOnlyMemory<byte> IdempotencyKey { get; private set; }

    /// <summary>The JSON object's text; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Metadata { get; private set; }

    /// <summary>Microseconds since 1970-01-01 UTC.</summary>
    /// <exception cref="CommandFailure">The time is not in the wire's format.</exception>
    public long TimeMicroseconds => (ParsedTime() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>For instance <c>09:05:00Z</c>.</summary>
    public string TimeOfDay => Time.Length == "2026-01-31T09:05:00.000123Z".Length ? Time[11..19] + "Z" : Time;

    /// <param name="raw">One JSON object. Not copied: what is read from it holds as long as it does.</param>
    /// <exception cref="CommandFailure">It is no commit.</exception>
    public static CommitText Parse(ReadOnlyMemory<byte> raw)
    {
        var commit = new CommitText(raw);
        try
        {
            commit.ReadMembers();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw CommandFailure.Refused($"this is no commit: {error.Message}");
        }
        if (commit.Version < 1 || commit.Operations.IsEmpty || commit.Hash.Length == 0)
            throw CommandFailure.Refused("this is no commit: it lacks a version, a hash or operations");
        return commit;
    }

    private void ReadMembers()
    {
        var reader = new Utf8JsonReader(Raw.Span, new JsonReaderOptions { MaxDepth = 100_000 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            switch (name)
            {
                case "namespace": Namespace = reader.GetString(); break;
                case "agent": Agent = reader.GetString(); break;
                case "version": Version = reader.GetInt64(); break;
                case "commit_ts": CommitTs = reader.GetInt64(); break;
                case "time": Time = reader.GetString() ?? ""; break;
                case "txn_id": TxnId = reader.GetString() ?? ""; break;
                case "hash": Hash = reader.GetString() ?? ""; break;
                default: ReadBodyMember(name, start, ref reader); break;
            }
        }
    }

    private void ReadBodyMember(string name, int start, ref Utf8JsonReader reader)
    {
        reader.Skip();
        ReadOnlyMemory<byte> text = Raw[start..(int)reader.BytesConsumed];
        switch (name)
        {
            case "operations": Operations = text; break;
            case "idempotency_key": IdempotencyKey = text; break;
            case "metadata": Metadata = text; break;
            default: break;
        }
    }

    private DateTimeOffset ParsedTime() =>
        DateTimeOffset.TryParseExact(Time, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : throw CommandFailure.Refused($"the time of version {Version} is not in the wire's format: {Time}");
}
