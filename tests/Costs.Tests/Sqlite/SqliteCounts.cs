namespace Statehouse.Costs.Tests.Sqlite;

/// <summary>What all SQLite connections of this process did between two looks.</summary>
internal sealed class SqliteCounts
{
    private readonly SortedDictionary<string, (int Runs, int Rows)> _statements = new(StringComparer.Ordinal);

    /// <summary>fsyncs of the WAL: what a commit waits for.</summary>
    public int WalSyncs { get; set; }

    /// <summary>fsyncs of the database file: checkpoints.</summary>
    public int DatabaseSyncs { get; set; }

    public long WalBytesWritten { get; set; }

    public long WalBytesRead { get; set; }

    public long DatabaseBytesWritten { get; set; }

    public long DatabaseBytesRead { get; set; }

    /// <summary>Statements run, as <c>name ×runs</c> in order of the names: files of sql/journal/sqlite/statements.</summary>
    public string Statements => string.Join(", ", _statements.Select(static each => $"{each.Key} ×{each.Value.Runs}"));

    public int StatementCount => _statements.Values.Sum(each => each.Runs);

    /// <summary>Rows that all statements returned.</summary>
    public int Rows => _statements.Values.Sum(each => each.Rows);

    public int RunsOf(string statement) => _statements.GetValueOrDefault(statement).Runs;

    public int RowsOf(string statement) => _statements.GetValueOrDefault(statement).Rows;

    public void AddStatement(string name)
    {
        (int runs, int rows) = _statements.GetValueOrDefault(name);
        _statements[name] = (runs + 1, rows);
    }

    public void AddRow(string name)
    {
        (int runs, int rows) = _statements.GetValueOrDefault(name);
        _statements[name] = (runs, rows + 1);
    }
}
