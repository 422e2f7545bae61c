using System.Buffers.Text;
using System.Text;

namespace Statehouse.Bench.Peers;

/// <summary>What Redis' append-only file holds: its commands as they were sent (https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/).</summary>
/// <param name="Sets">SET commands.</param>
/// <param name="Keys">Different keys in them.</param>
internal readonly record struct AppendOnlyFile(long Sets, int Keys)
{
    /// <summary>Reads one file to its end; a command that is cut off there does not count, as Redis itself cuts it off.</summary>
    /// <exception cref="InvalidDataException">It holds something else before its end.</exception>
    public static AppendOnlyFile Read(Stream file)
    {
        using var reader = new BinaryReader(new BufferedStream(file, 1 << 20));
        var keys = new HashSet<string>();
        long sets = 0;
        try
        {
            while (Length(reader, '*') is { } words)
            {
                string? key = null;
                bool isSet = false;
                for (int word = 0; word < words; word++)
                {
                    byte[] text = Word(reader);
                    if (word == 0)
                        isSet = Ascii.EqualsIgnoreCase(text, "SET"u8);
                    else if (word == 1)
                        key = Encoding.UTF8.GetString(text);
                }
                if (!isSet)
                    continue;
                sets++;
                keys.Add(key!);
            }
        }
        catch (EndOfStreamException)
        {
            // The last command was being written when the server was killed: nobody was told that it is durable.
        }
        return new AppendOnlyFile(sets, keys.Count);
    }

    private static byte[] Word(BinaryReader reader)
    {
        int length = Length(reader, '$') ?? throw new EndOfStreamException();
        byte[] text = reader.ReadBytes(length + 2);
        return text.Length == length + 2 ? text[..^2] : throw new EndOfStreamException();
    }

    /// <returns>null at the end of the file.</returns>
    private static int? Length(BinaryReader reader, char kind)
    {
        int first = reader.BaseStream.ReadByte();
        if (first < 0)
            return null;
        if (first != kind)
            throw new InvalidDataException($"Redis' append-only file has byte {first} where '{kind}' belongs.");
        Span<byte> digits = stackalloc byte[12];
        int count = 0;
        for (byte next; (next = reader.ReadByte()) != '\r'; digits[count++] = next)
        {
            if (count == digits.Length)
                throw new InvalidDataException("Redis' append-only file has a length of more than 12 digits.");
        }
        reader.ReadByte();
        return Utf8Parser.TryParse(digits[..count], out int length, out int used) && used == count
            ? length
            : throw new InvalidDataException("Redis' append-only file has a length that is no number.");
    }
}
