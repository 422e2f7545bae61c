using System.Text;
using System.Text.RegularExpressions;

namespace Statehouse.Tidy;

/// <summary>A fenced block.</summary>
/// <param name="Language">What follows the fence; empty where nothing does.</param>
/// <param name="Line">Of its opening fence, from 1.</param>
/// <param name="Text">Its lines, each ended with a line feed.</param>
internal sealed record CodeBlock(string Language, int Line, string Text);

/// <summary>What the checks need of a document: its blocks, its links, its anchors, the cells of its tables.</summary>
internal sealed partial class Markdown
{
    private readonly List<CodeBlock> _blocks = [];
    private readonly List<(int Line, string Text)> _prose = [];

    private Markdown(string file) => File = file;

    public string File { get; }

    public IReadOnlyList<CodeBlock> Blocks => _blocks;

    /// <summary>Targets of inline links outside of code.</summary>
    public IEnumerable<(int Line, string Target)> Links =>
        from line in _prose
        from Match link in Link().Matches(InlineCode().Replace(line.Text, ""))
        select (line.Line, link.Groups[1].Value);

    /// <summary>The anchors that headings get, as GitHub makes them.</summary>
    public IEnumerable<string> Anchors =>
        from line in _prose
        where line.Text.StartsWith('#')
        select AnchorOf(line.Text.TrimStart('#'));

    /// <summary>Rows of all tables, as trimmed cells; without the dashes under a header.</summary>
    public IEnumerable<string[]> TableRows =>
        from line in _prose
        where line.Text.StartsWith('|')
        let cells = line.Text.Trim().Trim('|').Split('|').Select(cell => cell.Trim()).ToArray()
        where !cells.All(cell => cell.Trim('-', ':').Length == 0 && cell.Length > 0)
        select cells;

    public static Markdown Read(string file)
    {
        var document = new Markdown(file);
        StringBuilder? block = null;
        (string Language, int Line) opening = ("", 0);
        foreach ((int number, string text) in SourceTree.Lines(file))
        {
            if (!text.StartsWith("```", StringComparison.Ordinal))
            {
                if (block is null)
                    document._prose.Add((number, text));
                else
                    block.Append(text).Append('\n');
            }
            else if (block is null)
            {
                block = new StringBuilder();
                opening = (text[3..].Trim(), number);
            }
            else
            {
                document._blocks.Add(new CodeBlock(opening.Language, opening.Line, block.ToString()));
                block = null;
            }
        }
        return document;
    }

    private static string AnchorOf(string heading)
    {
        var anchor = new StringBuilder();
        foreach (char letter in heading.Trim().ToLowerInvariant())
        {
            if (char.IsLetterOrDigit(letter) || letter is '-' or '_')
                anchor.Append(letter);
            else if (letter == ' ')
                anchor.Append('-');
        }
        return anchor.ToString();
    }

    [GeneratedRegex(@"\[[^\]]*\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex InlineCode();
}
