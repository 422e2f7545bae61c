namespace Statehouse.Journal.Tests;

/// <summary>A directory of the test's own, gone with it.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("statehouse-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
