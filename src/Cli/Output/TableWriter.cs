using System.Text;

namespace Statehouse.Cli;

/// <summary>
/// Rows in columns, for people. The first rows are gathered to see how wide they are; the others follow at once, so that
/// a long list takes no memory.
/// </summary>
/// <param name="terminal">Where to; a line is cut to its width only where it is one.</param>
/// <param name="titles">Of the columns.</param>
internal sealed class TableWriter(Terminal terminal, params string[] titles)
{
    private const int GatheredMax = 100;

    /// <summary>An id may be a kilobyte long; what is longer than this moves its own row only.</summary>
    private const int ColumnWidthMax = 40;

    private const string Gap = "  ";

    private readonly List<string[]> _gathered = [];
    private int[]? _widths;

    /// <param name="cells">One per title, made safe; an empty one is shown as a dash.</param>
    public void Row(params string[] cells)
    {
        if (_widths is not null)
        {
            Write(cells);
            return;
        }
        _gathered.Add(cells);
        if (_gathered.Count == GatheredMax)
            Complete();
    }

    /// <summary>Writes what was gathered; a table without rows is its titles alone.</summary>
    public void Complete()
    {
        if (_widths is not null)
            return;
        _widths = [.. titles.Select((title, column) => Math.Min(
            ColumnWidthMax, _gathered.Select(cells => Printable.Columns(cells[column])).Append(title.Length).Max()))];
        Write(titles);
        foreach (string[] cells in _gathered)
            Write(cells);
        _gathered.Clear();
    }

    private void Write(string[] cells)
    {
        var line = new StringBuilder();
        for (int column = 0; column < cells.Length; column++)
        {
            string cell = cells[column].Length == 0 ? "-" : cells[column];
            line.Append(cell);
            if (column < cells.Length - 1)
                line.Append(' ', Math.Max(0, _widths![column] - Printable.Columns(cell))).Append(Gap);
        }
        string text = line.ToString();
        terminal.Out.Line(terminal.IsOutputTerminal ? Printable.Cut(text, terminal.Width) : text);
    }
}
