using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// One schema that this binary brings databases to: its numbered migrations, and where a database notes which of them
/// it has. Sets know nothing of each other, so one may be released without the others.
/// </summary>
internal sealed class MigrationSet
{
    public static readonly MigrationSet Journal = new("the journal's schema", "statehouse", "migrations/");
    public static readonly MigrationSet Orleans = new("the Orleans tables", "statehouse_orleans", "orleans-schema/");

    private MigrationSet(string name, string schema, string folder)
    {
        Name = name;
        Schema = schema;
        Migrations = Load(folder);
    }

    /// <summary>What an operator reads: <c>the …</c>.</summary>
    public string Name { get; }

    /// <summary>The PostgreSQL schema that holds everything of the set; its table <c>migration</c> notes what was applied.</summary>
    public string Schema { get; }

    /// <summary>Ascending: 1, 2, 3, …</summary>
    public IReadOnlyList<Migration> Migrations { get; }

    public string HasTableSql => InSchema(SqlText.MigrationState);

    public string CreateTableSql => InSchema(SqlText.MigrationTable);

    public string AppliedSql => InSchema(SqlText.MigrationsApplied);

    public string NoteSql => InSchema(SqlText.MigrationApplied);

    /// <summary>A table's name cannot be a parameter; the schemas are the constants above.</summary>
    private string InSchema(string sql) => sql.Replace("{schema}", Schema, StringComparison.Ordinal);

    private static List<Migration> Load(string folder)
    {
        List<Migration> migrations = [.. SqlText.Names(folder).Select(name => Migration.FromFile(name[folder.Length..], SqlText.Read(name)))];
        for (int i = 0; i < migrations.Count; i++)
        {
            if (migrations[i].Number != i + 1)
                throw new InvalidOperationException($"Migration {migrations[i].Name} should have number {i + 1}.");
        }
        return migrations;
    }
}

/// <summary>One step of a schema. Once released, a file never changes: a database holds its checksum.</summary>
/// <param name="Number">1, 2, 3, …</param>
/// <param name="Name">The file's name.</param>
/// <param name="Sql">What it does.</param>
/// <param name="Sha256">Of its bytes with LF line ends.</param>
internal sealed record Migration(int Number, string Name, string Sql, byte[] Sha256)
{
    public static Migration FromFile(string name, string sql) =>
        new(int.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture), name, sql, SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
}
