using System.Globalization;

namespace Statehouse.Cli;

/// <summary>Where output goes, and what may be done there: colour, width, progress.</summary>
/// <param name="noColor">Whether the caller forbids colour.</param>
internal sealed class Terminal(bool noColor) : IDisposable
{
    /// <summary>For lines that no terminal cuts: enough to recognise a value, not to hold it.</summary>
    private const int WidthElsewhere = 120;

    private const int WidthMin = 40;

    /// <summary>Data.</summary>
    public OutputWriter Out { get; } = OutputWriter.StandardOutput();

    /// <summary>https://no-color.org: set to anything but empty, it means no colour.</summary>
    public bool HasColor { get; } =
        !noColor && !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or ""
        && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Whether a progress bar on standard error would be seen, and seen as one.</summary>
    public bool ShowsProgress { get; } = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    public bool IsOutputTerminal { get; } = !Console.IsOutputRedirected;

    /// <summary>Columns of a line.</summary>
    public int Width { get; } = FindWidth();

    /// <summary>Something that is no data, for a person, on standard error.</summary>
    public void Note(string text) => Console.Error.WriteLine($"statehousectl: {Printable.OneLine(text)}");

    public void Dispose() => Out.Dispose();

    private static int FindWidth()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out int columns))
            return Math.Max(columns, WidthMin);
        if (Console.IsOutputRedirected)
            return WidthElsewhere;
        try
        {
            // Some terminals, such as a bare serial line, do not know their width and say 0.
            return Console.WindowWidth is > 0 and int width ? Math.Max(width, WidthMin) : WidthElsewhere;
        }
        catch (IOException)
        {
            return WidthElsewhere;
        }
    }
}
