using System.Collections.Immutable;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// The arrays that statehouse.append_indexed and append_units_indexed take besides; 0006_agent_index.sql says what each
/// holds. Of a run's index rows only the last one is sent.
/// </summary>
internal sealed class IndexArguments
{
    private readonly List<int> _commit = [];
    private readonly List<short> _status = [];
    private readonly List<string> _group = [];
    private readonly List<string> _labels = [];
    private readonly List<long> _started = [];
    private readonly List<long?> _due = [];
    private readonly List<ReadOnlyMemory<byte>> _summary = [];

    /// <param name="slots">In the order in which their commits are sent.</param>
    /// <returns>null where no commit carries an index row.</returns>
    public static IndexArguments? Of(List<RunSlot> slots)
    {
        IndexArguments? arguments = null;
        int before = 0;
        foreach (RunSlot slot in slots)
        {
            IReadOnlyList<JournalCommit> commits = slot.Run.Commits;
            for (int i = commits.Count - 1; i >= 0; i--)
            {
                if (commits[i].Index is not { } row)
                    continue;
                (arguments ??= new IndexArguments()).Add(before + i + 1, row); // arrays count from 1 there
                break;
            }
            before += commits.Count;
        }
        return arguments;
    }

    public void AddTo(NpgsqlCommand command) => command.AddRange(
        PgParameter.OfArray(_commit.ToArray(), NpgsqlDbType.Integer),
        PgParameter.OfArray(_status.ToArray(), NpgsqlDbType.Smallint),
        PgParameter.OfArray(_group.ToArray(), NpgsqlDbType.Text),
        PgParameter.OfArray(_labels.ToArray(), NpgsqlDbType.Text),
        PgParameter.OfArray(_started.ToArray(), NpgsqlDbType.Bigint),
        PgParameter.OfArray(_due.ToArray(), NpgsqlDbType.Bigint),
        PgParameter.OfArray(_summary.ToArray(), NpgsqlDbType.Bytea));

    private void Add(int commit, IndexRow row)
    {
        _commit.Add(commit);
        _status.Add(row.Status);
        _group.Add(row.Group);
        _labels.Add(ArrayText(row.Labels));
        _started.Add(row.StartedAt.UnixMicroseconds);
        _due.Add(row.DueAt?.UnixMicroseconds);
        _summary.Add(row.Summary);
    }

    /// <summary>A text[] in its text form, since arrays of arrays must all be of one length.</summary>
    /// <remarks>Source: https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO</remarks>
    private static string ArrayText(ImmutableArray<string> labels)
    {
        var text = new StringBuilder("{");
        foreach (string label in labels.IsDefault ? [] : labels)
        {
            text.Append(text.Length > 1 ? ",\"" : "\"");
            foreach (char c in label)
            {
                if (c is '"' or '\\')
                    text.Append('\\');
                text.Append(c);
            }
            text.Append('"');
        }
        return text.Append('}').ToString();
    }
}
