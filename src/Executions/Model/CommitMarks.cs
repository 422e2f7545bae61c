using System.Text.Json;
using Statehouse.Agents;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>What one commit of an execution tells of it.</summary>
internal static class CommitMarks
{
    /// <summary>Where the execution stood after the commit. Reads no further than to there: the state comes behind it.</summary>
    /// <exception cref="InvariantBrokenException">SH-9001. No commit of an execution.</exception>
    public static StepMark MarkOf(JournalCommit commit)
    {
        var reader = new Utf8JsonReader(commit.Canonical.Span, new JsonReaderOptions { MaxDepth = 1024 });
        bool isStep = false;
        while (reader.Read())
        {
            // Members of operations only: values are skipped as a whole.
            if (reader.TokenType != JsonTokenType.PropertyName)
                continue;
            if (reader.ValueTextEquals("key"u8) && reader.Read())
            {
                isStep = reader.ValueTextEquals("step"u8);
            }
            else if (reader.ValueTextEquals("value"u8) && reader.Read())
            {
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isStep)
                    return StepMark.Parse(JsonText.Trusted(commit.Canonical[start..(int)reader.BytesConsumed]));
            }
            else if (!reader.ValueTextEquals("operations"u8))
            {
                reader.Skip();
            }
        }
        throw new InvariantBrokenException($"Commit {commit.Version} (txn {commit.TxnId}) of an execution does not tell its step.");
    }

    /// <summary>The put of the state; null where the commit left the state as it was.</summary>
    public static AppliedOperation? StateOf(JournalCommit commit)
    {
        foreach (AppliedOperation operation in CommitBodyCodec.Decode(commit).Operations)
        {
            if (operation.Kind == OperationKind.Put && operation.Key == ExecutionKeys.State)
                return operation;
        }
        return null;
    }
}
