using System.Buffers.Binary;

namespace Statehouse.Journal.Sqlite.Opening;

/// <summary>
/// Looks at the first 100 bytes of a journal file before SQLite does. SQLite takes an empty file for a new database,
/// and would start all over where a journal was lost; and a flipped bit here makes it misread everything behind.
/// </summary>
/// <remarks>Source: https://www.sqlite.org/fileformat2.html, "The Database Header".</remarks>
internal static class JournalFileHeader
{
    private const int Size = 100;
    private const int PageSize = 4096;
    private const int ApplicationId = 0x53484A31; // "SHJ1", as in new-database.sql

    /// <summary>What never changes once new-database.sql has made a file: offset, bytes, value.</summary>
    private static readonly (int Offset, int Length, uint Value, string Name)[] Constants =
    [
        (16, 2, PageSize, "page size"),
        (18, 1, 2, "write version"),
        (19, 1, 2, "read version"),
        (20, 1, 0, "reserved space"),
        (21, 1, 64, "maximum payload fraction"),
        (22, 1, 32, "minimum payload fraction"),
        (23, 1, 32, "leaf payload fraction"),
        (44, 4, 4, "schema format"),
        (52, 4, 0, "largest root page"),
        (56, 4, 1, "text encoding"),
        (64, 4, 0, "vacuum mode"),
        (68, 4, ApplicationId, "application id"),
    ];

    /// <exception cref="JournalOpenException">This is no journal, or its header is damaged.</exception>
    public static void Check(string path)
    {
        Span<byte> header = stackalloc byte[Size];
        int length = ReadStart(path, header);
        if (length < Size)
            throw Refused(path, $"it has {length} bytes and is cut off; restore it from a backup");
        if (!header.StartsWith("SQLite format 3\0"u8))
            throw Refused(path, "it is not a SQLite database, or its header is damaged; restore it from a backup");
        foreach ((int offset, int bytes, uint value, string name) in Constants)
        {
            uint seen = bytes switch
            {
                1 => header[offset],
                2 => BinaryPrimitives.ReadUInt16BigEndian(header[offset..]),
                _ => BinaryPrimitives.ReadUInt32BigEndian(header[offset..]),
            };
            if (seen != value)
                throw Refused(path, $"it is not a Statehouse journal, or its header is damaged (its {name} is {seen}, not {value})");
        }
    }

    private static int ReadStart(string path, Span<byte> header)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalOpenException($"The journal {path} cannot be read: {error.Message}", error);
        }
    }

    private static JournalOpenException Refused(string path, string why) => new($"The journal {path} cannot be opened: {why}.");
}
