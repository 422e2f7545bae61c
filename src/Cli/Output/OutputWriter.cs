using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Statehouse.Cli;

/// <summary>Standard output, or a file: bytes, buffered, lines ended with a line feed.</summary>
/// <param name="stream">Where to; disposed of with this.</param>
/// <param name="isTerminal">Whether a terminal would obey control characters in what is written.</param>
internal sealed class OutputWriter(Stream stream, bool isTerminal) : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>EPIPE, as .NET reports it where it is not Windows.</summary>
    private const int BrokenPipe = 32;

    private readonly BufferedStream _stream = new(stream, BufferBytes);

    public static OutputWriter StandardOutput() => new(OpenStandardOutput(), !Console.IsOutputRedirected);

    public void Text(string text) => Bytes(Encoding.UTF8.GetBytes(text));

    public void Line(string text)
    {
        Text(text);
        Bytes("\n"u8);
    }

    /// <summary>A JSON text on a line of its own, as it came; line breaks between its tokens become spaces.</summary>
    public void JsonLine(ReadOnlySpan<byte> json)
    {
        while (true)
        {
            // Inside of JSON strings line breaks are always escaped, so that these can only be white space.
            int end = json.IndexOfAny((byte)'\n', (byte)'\r');
            if (end < 0)
                break;
            Guarded(json[..end]);
            Bytes(" "u8);
            json = json[(end + 1)..];
        }
        Guarded(json);
        Bytes("\n"u8);
    }

    /// <summary>A JSON text exactly as it came, and a line feed.</summary>
    public void JsonText(ReadOnlySpan<byte> json)
    {
        while (isTerminal && json.IndexOfAny("\n\r\t"u8) is >= 0 and int end)
        {
            Guarded(json[..end]);
            Bytes(json.Slice(end, 1));
            json = json[(end + 1)..];
        }
        Guarded(json);
        Bytes("\n"u8);
    }

    /// <summary>
    /// On a terminal, characters that it would obey are escaped: they can only stand in strings, so that the JSON means
    /// the same.
    /// </summary>
    public void Guarded(ReadOnlySpan<byte> json)
    {
        if (isTerminal)
            Text(Printable.OneLine(Encoding.UTF8.GetString(json)));
        else
            Bytes(json);
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (IOException error) when (error.HResult == BrokenPipe)
        {
            throw new OutputClosedException();
        }
    }

    public void Flush()
    {
        try
        {
            _stream.Flush();
        }
        catch (IOException error) when (error.HResult == BrokenPipe)
        {
            throw new OutputClosedException();
        }
    }

    /// <summary>What was not flushed is dropped: whoever cares has flushed, and seen whether it worked.</summary>
    public void Dispose() => stream.Dispose();

    /// <summary>
    /// The console's own stream hides that a pipe's reader has gone, and a command that follows would go on forever; a
    /// file stream says so. It would however keep a position of its own in a file that several commands append to.
    /// </summary>
    private static Stream OpenStandardOutput()
    {
        if (OperatingSystem.IsWindows())
            return Console.OpenStandardOutput();
        var pipe = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        if (!pipe.CanSeek)
            return pipe;
        pipe.Dispose();
        return Console.OpenStandardOutput();
    }
}
