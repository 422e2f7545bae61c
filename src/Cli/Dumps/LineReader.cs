using System.Runtime.CompilerServices;

namespace Statehouse.Cli;

/// <summary>Lines of a file or pipe, one at a time.</summary>
internal sealed class LineReader(Stream input)
{
    /// <summary>Beyond any commit: the server's limit is 8 MiB unless raised.</summary>
    private const int LineBytesMax = 512 * 1024 * 1024;

    private byte[] _buffer = new byte[64 * 1024];

    /// <summary>Without their ends; empty ones are left out. A line holds until the next one is asked for.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int start = 0;
        int end = 0;
        int searched = 0;
        while (true)
        {
            int feed = _buffer.AsSpan(searched..end).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                if (searched + feed > start)
                    yield return _buffer.AsMemory(start..(searched + feed));
                start = searched = searched + feed + 1;
                continue;
            }
            end = MakeRoom(start, end);
            start = 0;
            searched = end;
            // A pipe's read cannot be cancelled everywhere: a signal must not wait for it.
            int read = await input.ReadAsync(_buffer.AsMemory(end), cancellationToken).AsTask().WaitAsync(cancellationToken);
            if (read == 0)
                break;
            end += read;
        }
        if (end > 0)
            yield return _buffer.AsMemory(0, end);
    }

    /// <summary>Moves what is left to the front, into a larger buffer where it fills this one.</summary>
    /// <returns>Where it ends now.</returns>
    private int MakeRoom(int start, int end)
    {
        int held = end - start;
        if (held >= LineBytesMax)
            throw CommandFailure.Usage($"a line is longer than {LineBytesMax} bytes: this is no dump.");
        byte[] target = held == _buffer.Length ? new byte[_buffer.Length * 2] : _buffer;
        Buffer.BlockCopy(_buffer, start, target, 0, held);
        _buffer = target;
        return held;
    }
}
