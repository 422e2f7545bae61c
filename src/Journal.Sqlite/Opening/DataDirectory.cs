namespace Statehouse.Journal.Sqlite.Opening;

/// <summary>The files of one embedded journal, and the directory that is theirs.</summary>
internal sealed class DataDirectory(string directory)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public string Root { get; } = Path.GetFullPath(directory);

    public string LockFile => Path.Combine(Root, "statehouse.lock");

    public string JournalFile => Path.Combine(Root, "journal.db");

    public string WalFile => JournalFile + "-wal";

    /// <summary>A new journal until it is complete; then it is renamed to <see cref="JournalFile"/>.</summary>
    public string UnfinishedJournalFile => Path.Combine(Root, "journal.db.new");

    /// <summary>Makes the directory where it is missing, for its owner alone.</summary>
    /// <exception cref="JournalOpenException">It cannot be made.</exception>
    public void Create()
    {
        try
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(Root);
            else
                Directory.CreateDirectory(Root, OwnerOnly);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalOpenException($"The data directory {Root} cannot be created: {error.Message}", error);
        }
    }

    /// <summary>Drops what a crash left of a journal that was being made.</summary>
    public void DropUnfinished()
    {
        foreach (string suffix in (string[])["", "-wal", "-shm", "-journal"])
            File.Delete(UnfinishedJournalFile + suffix);
    }
}
