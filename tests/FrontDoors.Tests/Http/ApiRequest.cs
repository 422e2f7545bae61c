using System.Text;

namespace Statehouse.FrontDoors.Tests.Http;

/// <summary>A request whose parts a test can change before it becomes bytes.</summary>
/// <param name="Method">HTTP's.</param>
/// <param name="Target">Path and query, percent-encoded.</param>
/// <param name="Headers">All but Host and those of the body's length.</param>
/// <param name="Body">null = none.</param>
internal sealed record ApiRequest(string Method, string Target, IReadOnlyList<string> Headers, byte[]? Body)
{
    /// <summary>Sends the body in chunks of so many bytes; 0 = with its length ahead.</summary>
    public int ChunkBytes { get; init; }

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        Write(bytes, $"{Method} {Target} HTTP/1.1\r\nHost: localhost\r\n");
        foreach (string header in Headers)
            Write(bytes, header + "\r\n");
        if (Body is null)
        {
            Write(bytes, "\r\n");
        }
        else if (ChunkBytes == 0)
        {
            Write(bytes, $"Content-Length: {Body.Length}\r\n\r\n");
            bytes.Write(Body);
        }
        else
        {
            Write(bytes, "Transfer-Encoding: chunked\r\n\r\n");
            foreach (byte[] chunk in Body.Chunk(ChunkBytes))
            {
                Write(bytes, $"{chunk.Length:x}\r\n");
                bytes.Write(chunk);
                Write(bytes, "\r\n");
            }
            Write(bytes, "0\r\n\r\n");
        }
        return bytes.ToArray();
    }

    private static void Write(MemoryStream bytes, string text) => bytes.Write(Encoding.Latin1.GetBytes(text));
}
