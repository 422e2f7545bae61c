using System.Globalization;
using System.Text;

namespace Statehouse.Agents.Tests.Codec;

/// <summary>JSON texts as agents keep them, and changes to them. The same seed makes the same text.</summary>
internal static class Texts
{
    /// <param name="kind"><c>random</c>: a string in which nothing repeats; <c>records</c>: an array of objects that are much alike; <c>pretty</c>: those over many lines.</param>
    /// <param name="bytes">About so many.</param>
    /// <param name="random">Decides the rest.</param>
    public static byte[] Of(string kind, int bytes, Random random)
    {
        var text = new StringBuilder();
        if (kind == "random")
        {
            text.Append('"');
            while (text.Length < bytes)
                text.Append((char)('a' + random.Next(26)));
            return Encoding.UTF8.GetBytes(text.Append('"').ToString());
        }
        string line = kind == "pretty" ? "\n    " : "";
        text.Append("{\"steps\":[");
        for (int i = 0; text.Length < bytes; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(line).Append(CultureInfo.InvariantCulture,
                $"{{\"id\":{i},{line}\"tool\":\"search\",{line}\"status\":\"{(random.Next(9) == 0 ? "failed" : "ok")}\",{line}\"cost\":{random.Next(100)},{line}\"result\":null}}");
        }
        return Encoding.UTF8.GetBytes(text.Append("]}").ToString());
    }

    /// <summary>So many changes in random places, each of so many bytes.</summary>
    public static byte[] Edit(ReadOnlySpan<byte> text, string edit, int times, int bytes, Random random)
    {
        List<byte> edited = [.. text];
        for (int i = 0; i < times && edited.Count > bytes; i++)
        {
            int at = random.Next(edited.Count - bytes);
            if (edit is "delete" or "replace")
                edited.RemoveRange(at, bytes);
            if (edit is "insert" or "replace")
                edited.InsertRange(at, Enumerable.Range(0, bytes).Select(_ => (byte)('a' + random.Next(26))));
        }
        return [.. edited];
    }
}
