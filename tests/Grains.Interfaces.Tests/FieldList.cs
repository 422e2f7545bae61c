namespace Statehouse.Grains.Tests;

/// <summary>
/// The numbered fields of some bytes, read by a second, simpler reader than the one under test: what a silo of an
/// older version makes of them.
/// </summary>
internal sealed record FieldList(IReadOnlyList<(ulong Number, ulong WireType, byte[] Value)> Fields)
{
    /// <returns>Null where the bytes are not numbered fields.</returns>
    public static FieldList? TryParse(ReadOnlySpan<byte> bytes)
    {
        var fields = new List<(ulong, ulong, byte[])>();
        while (!bytes.IsEmpty)
        {
            if (!TryVarint(ref bytes, out ulong tag, out _))
                return null;
            switch (tag & 7)
            {
                case 0 when TryVarint(ref bytes, out _, out byte[] number):
                    fields.Add((tag >> 3, 0, number));
                    break;
                case 2 when TryVarint(ref bytes, out ulong length, out _) && length <= (ulong)bytes.Length:
                    fields.Add((tag >> 3, 2, bytes[..(int)length].ToArray()));
                    bytes = bytes[(int)length..];
                    break;
                default:
                    return null;
            }
        }
        return new FieldList(fields);
    }

    /// <summary>
    /// Whether who knows only the fields of <paramref name="older"/> reads the same from these: each is there, in the
    /// same order and with the same value, itself at most grown by fields that <paramref name="older"/> has not got.
    /// </summary>
    public bool Extends(FieldList older)
    {
        HashSet<ulong> known = [.. older.Fields.Select(field => field.Number)];
        var mine = Fields.Where(field => known.Contains(field.Number)).ToList();
        return mine.Count == older.Fields.Count
            && mine.Zip(older.Fields).All(pair =>
                pair.First.Number == pair.Second.Number
                && pair.First.WireType == pair.Second.WireType
                && (pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value) || IsGrown(pair.First.Value, pair.Second.Value)));
    }

    private static bool IsGrown(byte[] mine, byte[] older) =>
        TryParse(mine) is { } grown && TryParse(older) is { } before && grown.Extends(before);

    private static bool TryVarint(ref ReadOnlySpan<byte> bytes, out ulong value, out byte[] raw)
    {
        value = 0;
        raw = [];
        for (int i = 0; i < Math.Min(10, bytes.Length); i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] >= 0x80)
                continue;
            raw = bytes[..(i + 1)].ToArray();
            bytes = bytes[(i + 1)..];
            return true;
        }
        return false;
    }
}
