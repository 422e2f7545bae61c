using System.Text;

namespace Statehouse.Bench.Workloads;

/// <summary>Values as agents write them: JSON objects of words and ids, of an exact length, none like the other.</summary>
internal static class Values
{
    private const int Different = 64;
    private const int TextMin = 24;

    private static readonly string[] Vocabulary =
        "the a order customer asked for refund and was told to wait until payment arrived at our bank please check status again tomorrow item number with address changed since last week thank you sorry yes no maybe invoice total".Split(' ');

    /// <param name="bytes">Of each JSON text; from 24.</param>
    /// <param name="seed">The same seed makes the same values.</param>
    /// <returns>64 values, for use in turn: one alone would compress as no real load does.</returns>
    public static ReadOnlyMemory<byte>[] Make(int bytes, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, TextMin);
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Different).Select(_ => new ReadOnlyMemory<byte>(One(bytes, random)))];
    }

    private static byte[] One(int bytes, Random random)
    {
        const string Head = "{\"content\":\"";
        const string Tail = "\"}";
        var text = new StringBuilder(Head, bytes + 32);
        while (text.Length < bytes - Tail.Length)
            text.Append(random.Next(8) == 0 ? random.NextInt64().ToString("x") : Vocabulary[random.Next(Vocabulary.Length)]).Append(' ');
        text.Length = bytes - Tail.Length;
        return Encoding.ASCII.GetBytes(text.Append(Tail).ToString());
    }
}
