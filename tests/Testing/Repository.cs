namespace Statehouse.Testing;

/// <summary>Where things stand in the clone that the tests were built in.</summary>
public static class Repository
{
    private const string Landmark = "StatehouseOrleans.sln";

    /// <summary>The top folder.</summary>
    public static string Root { get; } = FindRoot();

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>A program of the same configuration as the test that asks, for instance (<c>src/Gateway</c>, <c>Statehouse.Gateway</c>).</summary>
    /// <exception cref="FileNotFoundException">It was not built: the test project must name it as a ProjectReference.</exception>
    public static string BuiltDll(string projectFolder, string assemblyName)
    {
        // …/bin/Release/net10.0/ of the test says which output of the other project belongs to the same build.
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string dll = Path.Combine(Root, projectFolder, "bin", framework.Parent!.Name, framework.Name, assemblyName + ".dll");
        return File.Exists(dll) ? dll : throw new FileNotFoundException($"{dll} was not built.", dll);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Landmark)))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds {Landmark}.");
    }
}
