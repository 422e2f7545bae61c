using System.Text.Json;
using System.Text.Json.Serialization;

namespace Statehouse.LocalCluster;

/// <summary>A cluster's place on disk: <c>cluster.json</c>, a folder of each process, the private PostgreSQL's.</summary>
/// <param name="path">As given; relative to where the user stands.</param>
internal sealed class ClusterFolder(string path)
{
    private const string StateName = "cluster.json";
    private const string ProcessPrefix = "process-";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        WriteIndented = true,
    };

    public string Root { get; } = Path.GetFullPath(path);

    public string LockFile => Path.Combine(Root, "cluster.lock");

    public string PostgresFolder => Path.Combine(Root, "postgres");

    public bool HoldsCluster => File.Exists(StateFile);

    private string StateFile => Path.Combine(Root, StateName);

    /// <summary>Makes the folder where it is missing.</summary>
    /// <exception cref="ClusterFailure">It holds something else, or cannot be made.</exception>
    public void Create()
    {
        if (Directory.Exists(Root) && !HoldsCluster && Directory.EnumerateFileSystemEntries(Root).Any(IsForeign))
            throw new ClusterFailure($"{Root} holds something that is no cluster: name an empty or a new folder with --data.");
        // Root's PostgreSQL runs as another user, who must be able to pass through, and sees nothing else here.
        Directory.CreateDirectory(Root, Environment.IsPrivilegedProcess ? OwnerOnly | Passable : OwnerOnly);
    }

    /// <exception cref="ClusterFailure">There is none, or it cannot be read.</exception>
    public ClusterState Load()
    {
        try
        {
            ClusterState? state = JsonSerializer.Deserialize<ClusterState>(File.ReadAllBytes(StateFile), s_json);
            if (state?.Format == ClusterState.CurrentFormat)
                return state;
            throw new ClusterFailure($"{StateFile} has format {state?.Format}; this program knows {ClusterState.CurrentFormat}.");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ClusterFailure($"there is no cluster in {Root}; ./statehouse cluster up makes one, --data DIR names another folder.");
        }
        catch (JsonException error)
        {
            throw new ClusterFailure($"{StateFile} is damaged: {error.Message}", inner: error);
        }
    }

    /// <summary>Replaces the state: whoever reads sees the old one or the new one, whole, also after a crash.</summary>
    public void Save(ClusterState state)
    {
        string next = StateFile + ".next";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(next, options))
        {
            JsonSerializer.Serialize(file, state, s_json);
            file.Flush(flushToDisk: true);
        }
        File.Move(next, StateFile, overwrite: true);
    }

    /// <summary>Where a process runs and leaves what it prints.</summary>
    public string FolderOf(ProcessState process) => Path.Combine(Root, $"{ProcessPrefix}{process.Number}");

    public string CreateFolderOf(ProcessState process) => Directory.CreateDirectory(FolderOf(process), OwnerOnly).FullName;

    /// <summary>Deletes the cluster with its data, and the folder where nothing else is left in it.</summary>
    public void Purge(ClusterState state)
    {
        foreach (string folder in Directory.GetDirectories(Root, ProcessPrefix + "*"))
            Directory.Delete(folder, recursive: true);
        if (state.Postgres.Private is { } postgres && Directory.Exists(postgres.Folder))
            Directory.Delete(postgres.Folder, recursive: true);
        File.Delete(StateFile + ".next");
        // Last: as long as it is there, a purge that was interrupted can be repeated.
        File.Delete(StateFile);
        FolderLock.Delete(LockFile);
        if (!Directory.EnumerateFileSystemEntries(Root).Any())
            Directory.Delete(Root);
    }

    /// <summary>What an <c>up</c> leaves that did not come as far as writing the state is ours.</summary>
    private bool IsForeign(string entry) =>
        !entry.StartsWith(LockFile, StringComparison.Ordinal)
        && !(entry == PostgresFolder && !Directory.EnumerateFileSystemEntries(entry).Any());
}
