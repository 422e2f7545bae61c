using System.Text;

namespace Statehouse.FrontDoors.Tests.Grpc;

/// <summary>HTTP/2 as bytes (RFC 9113), written by hand so that a test can write it wrong.</summary>
internal static class H2Bytes
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte ResetStream = 3;
    public const byte Settings = 4;
    public const byte Continuation = 9;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private const int FrameHeaderBytes = 9;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    /// <summary>The beginning of a connection: preface and empty settings.</summary>
    public static byte[] Start() => [.. Preface, .. Frame(Settings, 0, 0, [])];

    public static byte[] Frame(byte type, byte flags, int stream, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags,
         (byte)(stream >> 24), (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream, .. payload];

    /// <summary>The beginning of a frame: its payload is still to come.</summary>
    public static byte[] FrameHeader(byte type, byte flags, int stream, int payloadBytes) =>
        Frame(type, flags, stream, new byte[payloadBytes])[..FrameHeaderBytes];

    /// <summary>A call's headers, whole, with the call left open; or left open themselves.</summary>
    public static byte[] OpenCall(int stream, string method, bool endsHeaders) =>
        Frame(Headers, endsHeaders ? EndHeaders : (byte)0, stream, Pack(HeadersOf(method)));

    /// <summary>A whole call: its headers, one message, the end.</summary>
    public static byte[] Call(int stream, string method, byte[] message, params (string Name, string Value)[] more)
    {
        (string, string)[] headers = [.. HeadersOf(method), .. more];
        byte[] prefixed = [0, (byte)(message.Length >> 24), (byte)(message.Length >> 16), (byte)(message.Length >> 8), (byte)message.Length, .. message];
        return [.. Frame(Headers, EndHeaders, stream, Pack(headers)), .. Frame(Data, EndStream, stream, prefixed)];
    }

    /// <summary>Whether these are whole frames, one behind the other: all that a server sends before it closes.</summary>
    public static bool AreFrames(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= FrameHeaderBytes)
        {
            int length = FrameHeaderBytes + ((bytes[0] << 16) | (bytes[1] << 8) | bytes[2]);
            if (length > bytes.Length)
                return false;
            bytes = bytes[length..];
        }
        return bytes.IsEmpty;
    }

    private static (string Name, string Value)[] HeadersOf(string method) =>
    [
        (":method", "POST"), (":scheme", "http"), (":path", "/statehouse.v1.StatehouseService/" + method), (":authority", "localhost"),
        ("content-type", "application/grpc"), ("te", "trailers"),
    ];

    /// <summary>HPACK: literals that are never indexed, without Huffman coding (RFC 7541 section 6.2.3).</summary>
    private static byte[] Pack((string Name, string Value)[] headers)
    {
        var packed = new List<byte>();
        foreach ((string name, string value) in headers)
        {
            packed.Add(0x10);
            AddText(packed, name);
            AddText(packed, value);
        }
        return [.. packed];
    }

    private static void AddText(List<byte> packed, string text)
    {
        const int ShortMax = 127;
        if (text.Length < ShortMax)
        {
            packed.Add((byte)text.Length);
        }
        else
        {
            packed.Add(ShortMax);
            int rest = text.Length - ShortMax;
            for (; rest >= 0x80; rest >>= 7)
                packed.Add((byte)(rest | 0x80));
            packed.Add((byte)rest);
        }
        packed.AddRange(Encoding.Latin1.GetBytes(text));
    }
}
