using Statehouse.Testing;

namespace Statehouse.Tidy;

/// <summary>The files of the repository, without what builds and runs leave behind.</summary>
internal static class SourceTree
{
    private static readonly HashSet<string> Leftovers =
        ["bin", "obj", "artifacts", "data", "cluster-data", "node_modules", "TestResults", "__pycache__", ".git", ".vs", ".idea"];

    private static readonly Lazy<IReadOnlyList<string>> All = new(() => Walk(Repository.Root).Order(StringComparer.Ordinal).ToList());

    /// <summary>Paths relative to the top with <c>/</c>, ordered: those below a folder (empty = all) that end so.</summary>
    public static IEnumerable<string> Files(string folder = "", string ending = "") =>
        All.Value.Where(f => f.StartsWith(folder, StringComparison.Ordinal) && f.EndsWith(ending, StringComparison.Ordinal));

    public static string Read(string relative) => File.ReadAllText(Repository.PathOf(relative));

    /// <summary>The lines of a file with their numbers from 1.</summary>
    public static IEnumerable<(int Number, string Text)> Lines(string relative) =>
        File.ReadLines(Repository.PathOf(relative)).Select((text, index) => (index + 1, text));

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
            yield return Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
        foreach (string child in Directory.EnumerateDirectories(folder))
        {
            if (Leftovers.Contains(Path.GetFileName(child)))
                continue;
            foreach (string file in Walk(child))
                yield return file;
        }
    }
}
