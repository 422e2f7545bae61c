using System.Globalization;
using System.Text;

namespace Statehouse.Cli;

/// <summary>
/// Commits for people, one line an operation:
/// <c>HH:MM:SSZ  agent=…  WRITE|DEL|TOOL|NOTE|FINAL  key=…  v=N  summary</c>; v is the key version.
/// </summary>
/// <param name="output">Where they go.</param>
/// <param name="width">Columns of a line; what is longer is cut.</param>
/// <param name="color">Whether verbs are coloured.</param>
/// <param name="verbose">A line for each commit too, and values in full.</param>
internal sealed class ReplayLines(OutputWriter output, int width, bool color, bool verbose)
{
    /// <summary>Bytes of a value that a cut line could ever show.</summary>
    private const int SummaryBytesMax = 4096;

    public ReplayLines(Session session, bool verbose = false)
        : this(session.Terminal.Out, session.Terminal.Width, session.Terminal.HasColor, verbose)
    {
    }

    /// <param name="agent">How the agent is shown; <c>namespace/agent</c> where several namespaces mix.</param>
    /// <param name="commit">All of its operations are written.</param>
    public void Write(string agent, CommitText commit)
    {
        string shown = Printable.Word(agent);
        if (verbose)
            output.Line(Header(shown, commit));
        foreach (OperationText operation in OperationText.Of(commit))
            output.Line(Line(shown, commit, operation));
    }

    private static string Header(string agent, CommitText commit)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{commit.Time}  agent={agent}  COMMIT  version={commit.Version}  ")
            .Append(CultureInfo.InvariantCulture, $"commit_ts={commit.CommitTs}  txn_id={commit.TxnId}  hash={commit.Hash}");
        if (!commit.IdempotencyKey.IsEmpty)
            line.Append("  idempotency_key=").Append(Encoding.UTF8.GetString(commit.IdempotencyKey.Span));
        if (!commit.Metadata.IsEmpty)
            line.Append("  metadata=").Append(Printable.Json(commit.Metadata.Span));
        return Printable.OneLine(line.ToString());
    }

    private string Line(string agent, CommitText commit, OperationText operation)
    {
        string verb = VerbOf(operation);
        string before = $"{commit.TimeOfDay}  agent={agent}  ";
        string after = string.Create(CultureInfo.InvariantCulture, $"  key={Printable.Word(operation.Key)}  v={operation.Version}");
        string summary = Summary(operation.Value.Span);
        if (summary.Length > 0)
            after += "  " + summary;
        int room = width - before.Length - verb.Length;
        return before + Colored(verb) + (verbose ? after : Printable.Cut(after, room));
    }

    private string Summary(ReadOnlySpan<byte> value)
    {
        bool isCut = !verbose && value.Length > SummaryBytesMax;
        // A character that the cut falls into becomes a replacement character, far beyond what a line shows.
        return Printable.Json(isCut ? value[..SummaryBytesMax] : value);
    }

    /// <summary>The conventions for keys that agents use: <c>tool/</c>, <c>note/</c>, <c>final/</c>.</summary>
    private static string VerbOf(OperationText operation)
    {
        if (!operation.IsPut)
            return "DEL  ";
        if (operation.Key.StartsWith("tool/", StringComparison.Ordinal))
            return "TOOL ";
        if (operation.Key.StartsWith("note/", StringComparison.Ordinal))
            return "NOTE ";
        return operation.Key.StartsWith("final/", StringComparison.Ordinal) ? "FINAL" : "WRITE";
    }

    private string Colored(string verb)
    {
        if (!color)
            return verb;
        int code = verb[0] switch { 'D' => 31, 'T' => 36, 'N' => 33, 'F' => 35, _ => 32 };
        return $"\u001b[{code}m{verb}\u001b[0m";
    }
}
