using System.Text;

namespace Statehouse.LocalCluster;

/// <summary>The end of what a process printed, to be shown where it failed.</summary>
internal static class LogTail
{
    private const int LinesMax = 20;
    private const int BytesMax = 16 * 1024;

    /// <returns>A heading and the lines of each file that has any; text that could trick a terminal is left out.</returns>
    public static string Of(params IEnumerable<string> files)
    {
        var text = new StringBuilder();
        foreach (string file in files)
        {
            string[] lines = LastLines(file);
            if (lines.Length == 0)
                continue;
            text.Append("\n--- the end of ").Append(file);
            foreach (string line in lines)
                text.Append('\n').Append(line);
        }
        return text.Length > 0 ? text.ToString() : "\nit printed nothing";
    }

    private static string[] LastLines(string file)
    {
        if (!File.Exists(file))
            return [];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(-Math.Min(stream.Length, BytesMax), SeekOrigin.End);
        using var reader = new StreamReader(stream);
        string text = string.Concat(reader.ReadToEnd().Where(letter => letter is '\n' or '\t' || !char.IsControl(letter)));
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(LinesMax).ToArray();
    }
}
