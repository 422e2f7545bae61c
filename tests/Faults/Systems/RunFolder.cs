using Statehouse.Testing;

namespace Statehouse.Faults.Systems;

/// <summary>
/// The folder of a run, and who cleans up behind it: whatever way this process ends, the processes and mounts that it noted
/// here end too.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>$1 the folder. A process id that was given to somebody else meanwhile has another start time.</summary>
    private const string CleanUpScript = """
        for noted in "$1"/processes/*; do
          [ -f "$noted" ] || continue
          id=${noted##*/}
          started=$(sed 's/.*) //' "/proc/$id/stat" 2> /dev/null | cut -d ' ' -f 20)
          if [ -n "$started" ] && [ "$started" = "$(cat "$noted")" ]; then kill -9 "$id" 2> /dev/null; fi
        done
        for noted in "$1"/mounts/*; do
          [ -f "$noted" ] || continue
          umount -l "$(cat "$noted")" 2> /dev/null
        done
        """;

    private readonly ExitGuard _guard;
    private readonly string _processes;
    private readonly string _mounts;

    public RunFolder(string path)
    {
        Path = path;
        _processes = Directory.CreateDirectory(System.IO.Path.Combine(path, "processes")).FullName;
        _mounts = Directory.CreateDirectory(System.IO.Path.Combine(path, "mounts")).FullName;
        _guard = new ExitGuard(CleanUpScript, [path], Patience);
    }

    public string Path { get; }

    /// <summary>A folder or file in it.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    public void NoteProcess(int id)
    {
        string? started = StartTime(id);
        if (started is not null)
            File.WriteAllText(System.IO.Path.Combine(_processes, $"{id}"), started);
    }

    public void ForgetProcess(int id) => File.Delete(System.IO.Path.Combine(_processes, $"{id}"));

    public void NoteMount(string path) => File.WriteAllText(System.IO.Path.Combine(_mounts, $"{Directory.GetFiles(_mounts).Length}"), path);

    public void Dispose() => _guard.Dispose();

    private static string? StartTime(int id)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{id}/stat");
            // The program's name, in parentheses, may hold blanks; the 20th field behind it is the start time.
            return status[(status.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            // It has ended already.
            return null;
        }
    }
}
