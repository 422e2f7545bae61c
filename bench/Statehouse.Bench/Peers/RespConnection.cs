using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Bench.Peers;

/// <summary>
/// One connection to Redis on the thread that calls it, one command at a time, in its protocol RESP2: like the load's HTTP client,
/// two system calls a command and nothing else that costs.
/// </summary>
internal sealed class RespConnection : IDisposable
{
    private readonly Socket _socket;
    private byte[] _sent = new byte[16 * 1024];
    private byte[] _received = new byte[16 * 1024];
    private int _length;
    private int _at;

    public RespConnection(IPEndPoint address)
    {
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(address);
    }

    /// <summary>Sends a command of words, the last of which may be bytes.</summary>
    /// <returns>
    /// A simple or bulk string's bytes, valid until the next command; a number's digits; of an array the last element. Null, for a
    /// key that is not there, is an empty span.
    /// </returns>
    /// <exception cref="InvalidOperationException">Redis answered with an error.</exception>
    public ReadOnlySpan<byte> Send(ReadOnlySpan<string> words, ReadOnlySpan<byte> last = default)
    {
        int length = 0;
        Number(ref length, '*', words.Length + (last.IsEmpty ? 0 : 1));
        foreach (string word in words)
        {
            Number(ref length, '$', Encoding.UTF8.GetByteCount(word));
            Reserve(ref _sent, length + word.Length * 3 + 2);
            length += Encoding.UTF8.GetBytes(word, _sent.AsSpan(length));
            EndLine(ref length);
        }
        if (!last.IsEmpty)
        {
            Number(ref length, '$', last.Length);
            Reserve(ref _sent, length + last.Length + 2);
            last.CopyTo(_sent.AsSpan(length));
            length += last.Length;
            EndLine(ref length);
        }
        for (int at = 0; at < length;)
            at += _socket.Send(_sent.AsSpan(at, length - at));
        (_length, _at) = (0, 0);
        return Reply();
    }

    public void Dispose() => _socket.Dispose();

    private ReadOnlySpan<byte> Reply()
    {
        ReadOnlySpan<byte> line = Line();
        byte kind = line[0];
        switch (kind)
        {
            case (byte)'+' or (byte)':':
                return line[1..];
            case (byte)'-':
                throw new InvalidOperationException($"Redis: {Encoding.UTF8.GetString(line[1..])}");
            case (byte)'$':
                return Bulk(Parse(line[1..]));
            case (byte)'*':
                int count = Parse(line[1..]);
                for (int i = 1; i < count; i++)
                    Reply();
                return count > 0 ? Reply() : default;
            default:
                throw new IOException($"Redis answered what RESP2 does not have: {Encoding.UTF8.GetString(line)}");
        }
    }

    private ReadOnlySpan<byte> Bulk(int bytes)
    {
        if (bytes < 0)
            return default;
        while (_length < _at + bytes + 2)
            Receive();
        int start = _at;
        _at += bytes + 2;
        return _received.AsSpan(start, bytes);
    }

    private ReadOnlySpan<byte> Line()
    {
        int end;
        while ((end = _received.AsSpan(_at, _length - _at).IndexOf("\r\n"u8)) < 0)
            Receive();
        int start = _at;
        _at += end + 2;
        return _received.AsSpan(start, end);
    }

    private void Receive()
    {
        Reserve(ref _received, _length + 1);
        int received = _socket.Receive(_received.AsSpan(_length));
        if (received == 0)
            throw new IOException("Redis closed the connection in the middle of a reply.");
        _length += received;
    }

    private static int Parse(ReadOnlySpan<byte> digits) => Utf8Parser.TryParse(digits, out int number, out _) ? number : throw new IOException("Redis sent a length that is none.");

    private void Number(ref int length, char kind, int number)
    {
        Reserve(ref _sent, length + 16);
        _sent[length++] = (byte)kind;
        Utf8Formatter.TryFormat(number, _sent.AsSpan(length), out int digits);
        length += digits;
        EndLine(ref length);
    }

    private void EndLine(ref int length)
    {
        "\r\n"u8.CopyTo(_sent.AsSpan(length));
        length += 2;
    }

    private static void Reserve(ref byte[] buffer, int bytes)
    {
        if (buffer.Length < bytes)
            Array.Resize(ref buffer, Math.Max(bytes, buffer.Length * 2));
    }
}
