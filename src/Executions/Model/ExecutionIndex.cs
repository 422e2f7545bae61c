using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;
using Statehouse.Agents;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>How an execution is found: what its agent's commits write into the store's index.</summary>
public static class ExecutionIndex
{
    /// <summary>The row that goes with a commit; null where the agent is no execution.</summary>
    /// <param name="after">The state after the commit.</param>
    /// <param name="commit">It; not acknowledged yet.</param>
    public static IndexRow? RowOf(AgentState after, Commit commit)
    {
        if (after.Agent.Kind != AgentKind.Execution || ExecutionView.Of(after) is not { } view)
            return null;
        ExecutionRun run = view.Run;
        return new IndexRow((byte)run.Status, run.Workflow, LabelsOf(run.Labels), run.CreatedAt, view.DueAt, Summary(view));
    }

    /// <summary><c>name=value</c> in byte order. Names hold no <c>=</c>, so this cannot be read in two ways.</summary>
    public static ImmutableArray<string> LabelsOf(ImmutableArray<KeyValuePair<string, string>> labels)
    {
        if (labels.Length == 0)
            return [];
        return [.. labels.Select(label => label.Key + "=" + label.Value).OrderBy(text => new Key(text))];
    }

    /// <summary>
    /// Holds what a store gave back of an item against what it must be, a JSON object with members. It carries no checksum: damage that
    /// leaves it one is not seen here, and the execution itself tells what is right.
    /// </summary>
    /// <exception cref="InvariantBrokenException">SH-9001. It is damaged.</exception>
    internal static void CheckSummary(IndexedAgent item)
    {
        ReadOnlySpan<byte> summary = item.Row.Summary.Span;
        var reader = new Utf8JsonReader(summary, new JsonReaderOptions { MaxDepth = int.MaxValue });
        try
        {
            // Without white space around it: what is inside the braces is copied into replies.
            if (summary is [(byte)'{', .., (byte)'}'] && reader.Read() && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                while (reader.Read())
                {
                    // To its end.
                }
                if (Utf8.IsValid(summary))
                    return;
            }
        }
        catch (JsonException error)
        {
            throw Damaged(item, error);
        }
        throw Damaged(item, null);
    }

    private static InvariantBrokenException Damaged(IndexedAgent item, Exception? cause) =>
        new($"The index row of execution {item.Agent.Namespace}/{item.Agent.Name} holds no JSON object with members: it is damaged.", cause);

    /// <summary>An item of a list, without what the index holds beside it (id, version, time of the last commit).</summary>
    private static ReadOnlyMemory<byte> Summary(ExecutionView view)
    {
        var output = new ArrayBufferWriter<byte>(512);
        output.WriteRaw("{"u8);
        ExecutionJson.Members(output, view);
        output.WriteRaw("}"u8);
        return output.WrittenMemory;
    }
}
