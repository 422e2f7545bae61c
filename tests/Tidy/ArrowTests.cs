using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Statehouse.Tidy;

/// <summary>No arrow points up: between projects, and between the namespaces that code names.</summary>
public sealed partial class ArrowTests
{
    /// <summary>The program and what it hands the wiring to.</summary>
    private static readonly string[] Wiring = ["src/Gateway/Program.cs", "src/Gateway/ProgramStores.cs"];

    [Fact]
    public void Every_project_of_src_has_its_place_in_the_table_of_arrows() =>
        Found.Nothing(SourceTree.Files("src/", ".csproj").Where(f => !ProjectArrows.Knows(ProjectOf(f))));

    [Fact]
    public void Projects_reference_only_what_stands_below_them() =>
        Found.Nothing(
            from file in SourceTree.Files("src/", ".csproj")
            from reference in Items(file, "ProjectReference")
            let target = Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'))["Statehouse.".Length..]
            where !ProjectArrows.MayReference(ProjectOf(file), target)
            select $"{file} references {target}");

    [Fact]
    public void Lower_layers_use_only_the_packages_of_their_promise() =>
        Found.Nothing(
            from file in SourceTree.Files("src/", ".csproj")
            from package in Items(file, "PackageReference")
            where !ProjectArrows.MayUsePackage(ProjectOf(file), package)
            select $"{file} uses {package}");

    [Fact]
    public void Code_names_only_namespaces_that_stand_below_it() =>
        Found.Nothing(
            from use in NamesInSource()
            where !ProjectArrows.MayName(ProjectOf(use.File), use.Owner)
            select $"{use.File}:{use.Line} names {use.Owner}");

    [Fact]
    public void Only_the_wiring_of_the_server_knows_which_stores_there_are() =>
        Found.Nothing(
            from use in NamesInSource()
            where ProjectOf(use.File) == "Gateway" && use.Owner is "Journal.Sqlite" or "Journal.Postgres"
            where !Wiring.Contains(use.File)
            select $"{use.File}:{use.Line} names {use.Owner}");

    /// <summary>Every name below <c>Statehouse.</c> that belongs to a project: usings, full names, cref.</summary>
    private static IEnumerable<(string File, int Line, string Owner)> NamesInSource() =>
        from file in SourceTree.Files("src/", ".cs")
        from line in SourceTree.Lines(file)
        where !line.Text.StartsWith("namespace ", StringComparison.Ordinal)
        from Match match in StatehouseName().Matches(line.Text)
        let owner = ProjectArrows.OwnerOf(match.Value)
        where owner is not null
        select (file, line.Number, owner);

    private static string ProjectOf(string file) => file.Split('/')[1];

    private static IEnumerable<string> Items(string csproj, string name) =>
        XDocument.Parse(SourceTree.Read(csproj)).Descendants(name).Select(item => (string)item.Attribute("Include")!);

    [GeneratedRegex(@"\bStatehouse(\.[A-Z]\w*)+")]
    private static partial Regex StatehouseName();
}
