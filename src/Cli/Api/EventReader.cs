using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Statehouse.Cli;

/// <summary>One server-sent event.</summary>
/// <param name="Id">Where to go on after it; empty where it has none.</param>
/// <param name="Type">For instance <c>commit</c>.</param>
/// <param name="Data">Its lines, joined by line feeds. Holds until the next event is asked for.</param>
internal readonly record struct ServerEvent(string Id, string Type, ReadOnlyMemory<byte> Data);

/// <summary>Reads an event stream (WHATWG HTML section 9.2). An event that the connection cuts off is dropped.</summary>
internal sealed class EventReader(Stream body)
{
    private const int ChunkBytes = 64 * 1024;

    private readonly byte[] _chunk = new byte[ChunkBytes];
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly ArrayBufferWriter<byte> _data = new();
    private string _id = "";
    private string _type = "";
    private bool _lastWasReturn;

    public async IAsyncEnumerable<ServerEvent> EventsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int length;
        while ((length = await body.ReadAsync(_chunk, cancellationToken)) > 0)
        {
            int start = 0;
            while (TakeLine(length, ref start))
            {
                if (EndsEvent())
                {
                    yield return new ServerEvent(_id, _type, _data.WrittenMemory[..^1]);
                    _data.ResetWrittenCount();
                    _type = "";
                }
                _line.ResetWrittenCount();
            }
        }
    }

    /// <summary>Moves bytes into the line up to its end: LF, CR, or both.</summary>
    private bool TakeLine(int length, ref int start)
    {
        if (_lastWasReturn && start < length)
        {
            _lastWasReturn = false;
            if (_chunk[start] == '\n')
                start++;
        }
        ReadOnlySpan<byte> rest = _chunk.AsSpan(start..length);
        int end = rest.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
        {
            _line.Write(rest);
            return false;
        }
        _line.Write(rest[..end]);
        _lastWasReturn = rest[end] == '\r';
        start += end + 1;
        return true;
    }

    /// <summary>Takes the line in.</summary>
    /// <returns>True for the empty line that ends an event which has data.</returns>
    private bool EndsEvent()
    {
        ReadOnlySpan<byte> line = _line.WrittenSpan;
        if (line.IsEmpty)
        {
            bool hasData = _data.WrittenCount > 0;
            if (!hasData)
                _type = "";
            return hasData;
        }
        int colon = line.IndexOf((byte)':');
        ReadOnlySpan<byte> value = colon < 0 ? default : line[(colon + 1)..];
        if (value.StartsWith(" "u8))
            value = value[1..];
        ReadOnlySpan<byte> name = colon < 0 ? line : line[..colon];
        if (name.SequenceEqual("data"u8))
        {
            _data.Write(value);
            _data.Write("\n"u8);
        }
        else if (name.SequenceEqual("id"u8))
        {
            _id = Encoding.UTF8.GetString(value);
        }
        else if (name.SequenceEqual("event"u8))
        {
            _type = Encoding.UTF8.GetString(value);
        }
        return false;
    }
}
