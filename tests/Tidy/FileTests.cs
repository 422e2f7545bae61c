using System.Text.RegularExpressions;
using Xunit;

namespace Statehouse.Tidy;

public sealed partial class FileTests
{
    private const int LinesMax = 400;

    private static readonly string[] Code = ["src/", "tests/", "bench/", "samples/", "sdk/"];

    [Fact]
    public void No_two_files_of_src_share_a_name() =>
        Found.Nothing(
            from file in SourceTree.Files("src/", ".cs")
            group file by Path.GetFileName(file) into same
            where same.Count() > 1 && same.Key is not ("Program.cs" or "AssemblyAttributes.cs" or "GlobalUsings.cs")
            select string.Join(" and ", same));

    [Fact]
    public void No_code_file_is_longer_than_400_lines() =>
        Found.Nothing(
            from file in SourceTree.Files(ending: ".cs")
            let lines = SourceTree.Lines(file).Count()
            where lines > LinesMax
            select $"{file}: {lines} lines");

    [Fact]
    public void SQL_stands_in_sql_files_only() =>
        Found.Nothing(
            from file in SourceTree.Files("src/", ".cs")
            from line in SourceTree.Lines(file)
            let text = line.Text.TrimStart()
            where !text.StartsWith("//", StringComparison.Ordinal) && SqlInLiteral().IsMatch(text)
            select $"{file}:{line.Number}: {text}");

    [Fact]
    public void Nothing_is_left_for_later() =>
        Found.Nothing(
            from folder in Code
            from file in SourceTree.Files(folder)
            where file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".sql", StringComparison.Ordinal)
            from line in SourceTree.Lines(file)
            where LeftForLater().IsMatch(line.Text)
            select $"{file}:{line.Number}: {line.Text.Trim()}");

    [Fact]
    public void No_file_names_a_path_of_the_machine_it_was_written_on() =>
        Found.Nothing(
            from file in SourceTree.Files()
            where Path.GetExtension(file) is ".cs" or ".md" or ".sql" or ".sh" or ".json" or ".props" or ".csproj" or ""
            from line in SourceTree.Lines(file)
            where MachinePath().IsMatch(line.Text)
            select $"{file}:{line.Number}: {line.Text.Trim()}");

    [Fact]
    public void Every_project_is_part_of_the_solution()
    {
        string solution = SourceTree.Read("StatehouseOrleans.sln").Replace('\\', '/');
        Found.Nothing(SourceTree.Files(ending: ".csproj").Where(f => !solution.Contains($"\"{f}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_project_without_Orleans_is_part_of_the_single_node_solution()
    {
        string filter = SourceTree.Read("Statehouse.SingleNode.slnf");
        var needsOrleans = new HashSet<string>();
        List<string> projects = SourceTree.Files(ending: ".csproj").ToList();
        // References reach upward through several projects: go on until nothing changes.
        while (projects.Count(p => !needsOrleans.Contains(p) && NeedsOrleans(p, needsOrleans) && needsOrleans.Add(p)) > 0)
        {
        }
        Found.SameOnBothSides(
            "the tree", projects.Where(p => !needsOrleans.Contains(p)),
            "Statehouse.SingleNode.slnf", projects.Where(p => filter.Contains($"\"{p}\"", StringComparison.Ordinal)));
    }

    private static bool NeedsOrleans(string csproj, HashSet<string> known)
    {
        string text = SourceTree.Read(csproj);
        return text.Contains("Microsoft.Orleans", StringComparison.Ordinal)
            || known.Any(other => text.Contains(Path.GetFileName(other), StringComparison.Ordinal));
    }

    [GeneratedRegex(
        """
        "[^"]*\b(select\s+.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|(create|alter|drop)\s+(table|index)\s|pragma\s+\w|begin\s+(immediate|exclusive)|truncate\s+\w)
        """, RegexOptions.IgnoreCase)]
    private static partial Regex SqlInLiteral();

    // Written so that the pattern does not find itself.
    [GeneratedRegex(@"\b(TO[D]O|FIX[M]E|HA[C]K|XX[X])\b|NotImplemented[E]xception")]
    private static partial Regex LeftForLater();

    [GeneratedRegex(@"(?<![\w.$}/])/(home|root|Users|wor[k]|tmp/tmp)/\w")]
    private static partial Regex MachinePath();
}
