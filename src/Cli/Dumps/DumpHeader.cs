using System.Text;

namespace Statehouse.Cli;

/// <summary>
/// A dump: JSON lines. The first is this header, each further one a commit as the server sent it, from the oldest kept
/// to the head's.
/// </summary>
/// <param name="Namespace">The agent's.</param>
/// <param name="Agent">Whose history it is.</param>
/// <param name="Head">Where the agent stood: a dump that ends earlier is not whole.</param>
/// <remarks>
/// A commit whose text holds line breaks (a value may, between its tokens) stands as <c>{"text":"…"}</c>, the text as a
/// JSON string: the hash covers every byte, and a line must stay a line. Source: docs/cli.md.
/// </remarks>
internal sealed record DumpHeader(string Namespace, string Agent, HeadText Head)
{
    private const int Format = 1;
    private const string FormatMember = "statehouse_dump";
    private const string TextMember = "text";

    public void WriteTo(OutputWriter output)
    {
        output.Text($$"""{"{{FormatMember}}":{{Format}},"namespace":{{JsonString.Of(Namespace)}},"agent":{{JsonString.Of(Agent)}},"head":""");
        output.Bytes(Head.Raw);
        output.Text("}\n");
    }

    public static void WriteCommit(OutputWriter output, ReadOnlySpan<byte> commit)
    {
        if (commit.IndexOfAny((byte)'\n', (byte)'\r') < 0)
            output.Bytes(commit);
        else
            output.Text($$"""{"{{TextMember}}":{{JsonString.Of(Encoding.UTF8.GetString(commit))}}}""");
        output.Bytes("\n"u8);
    }

    /// <exception cref="CommandFailure">Usage: the line is no header, or one of a later format.</exception>
    public static DumpHeader Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            string format = Encoding.UTF8.GetString(JsonMember.Find(line, FormatMember).Span);
            if (format.Length > 0 && format != $"{Format}")
                throw CommandFailure.Usage($"this dump has format {format}; this program knows {Format}.");
            if (format.Length > 0 && JsonMember.FindString(line, "namespace") is { } ns && JsonMember.FindString(line, "agent") is { } agent)
                return new DumpHeader(ns, agent, HeadText.Parse(JsonMember.Text(line, "head").ToArray()));
        }
        catch (CommandFailure failure) when (failure.ExitCode == ExitCode.Refused)
        {
            throw CommandFailure.Usage($"this is no dump: {failure.Message}");
        }
        throw CommandFailure.Usage("this is no dump: its first line is no header.");
    }

    /// <summary>A commit from its line, its text as the server sent it.</summary>
    public static CommitText ParseCommit(ReadOnlyMemory<byte> line)
    {
        bool isWrapped = line.Span.StartsWith("{\"text\":"u8);
        return CommitText.Parse(isWrapped ? Encoding.UTF8.GetBytes(JsonMember.FindString(line, TextMember)!) : line);
    }
}
