using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using SQLitePCL;
using Statehouse.Journal.Sqlite;
using static Statehouse.Costs.Tests.Sqlite.SqliteNative;

namespace Statehouse.Costs.Tests.Sqlite;

/// <summary>
/// Counts what every SQLite connection of this process does from <see cref="Install"/> on: statements and rows by name,
/// and reads, writes and syncs of the database file and of its WAL. The journal knows nothing of it.
/// </summary>
internal static unsafe class SqliteTap
{
    private static readonly Lock Lock = new();
    private static readonly Dictionary<string, string> Names = StatementNames();
    private static readonly Dictionary<nint, string> NameOfText = [];
    private static readonly Dictionary<string, byte[]> TextOfName = [];
    private static SqliteCounts s_counts = new();
    private static bool s_isInstalled;
    private static FileSystem* s_real;
    private static FileMethods s_realDatabase;
    private static FileMethods s_realWal;
    private static FileMethods* s_databaseMethods;
    private static FileMethods* s_walMethods;

    /// <summary>Before the first connection is opened; again means nothing.</summary>
    public static void Install()
    {
        lock (Lock)
        {
            if (s_isInstalled)
                return;
            s_isInstalled = true;
            Batteries_V2.Init();
            s_real = FindFileSystem(null);
            var own = (FileSystem*)NativeMemory.AllocZeroed((nuint)sizeof(FileSystem));
            *own = *s_real;
            own->Next = null;
            own->Name = (byte*)Marshal.StringToCoTaskMemUTF8("statehouse-costs");
            own->Open = &Open;
            MustBeOk(RegisterFileSystem(own, makeDefault: 1));
            MustBeOk(OnEachConnection(&OnConnection));
        }
    }

    /// <summary>What was counted so far; from here on it counts from zero.</summary>
    public static SqliteCounts Take()
    {
        lock (Lock)
        {
            SqliteCounts taken = s_counts;
            s_counts = new SqliteCounts();
            return taken;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(FileSystem* _, byte* name, OpenFile* file, int flags, int* outFlags)
    {
        int code = s_real->Open(s_real, name, file, flags, outFlags);
        if (code != Ok)
            return code;
        lock (Lock)
        {
            if ((flags & OpenMainDatabase) != 0)
                file->Methods = OfDatabase(file->Methods);
            else if ((flags & OpenWal) != 0)
                file->Methods = OfWal(file->Methods);
        }
        return code;
    }

    /// <summary>The methods of a database file: the real ones, which are the same for all, but for what is counted.</summary>
    private static FileMethods* OfDatabase(FileMethods* real)
    {
        if (s_databaseMethods is null)
        {
            s_realDatabase = *real;
            s_databaseMethods = Copy(real);
            s_databaseMethods->Read = &ReadDatabase;
            s_databaseMethods->Write = &WriteDatabase;
            s_databaseMethods->Sync = &SyncDatabase;
        }
        return s_databaseMethods;
    }

    /// <summary>As <see cref="OfDatabase"/>; a WAL's real methods are others, since it is never locked.</summary>
    private static FileMethods* OfWal(FileMethods* real)
    {
        if (s_walMethods is null)
        {
            s_realWal = *real;
            s_walMethods = Copy(real);
            s_walMethods->Read = &ReadWal;
            s_walMethods->Write = &WriteWal;
            s_walMethods->Sync = &SyncWal;
        }
        return s_walMethods;
    }

    private static FileMethods* Copy(FileMethods* methods)
    {
        var copy = (FileMethods*)NativeMemory.AllocZeroed((nuint)sizeof(FileMethods));
        *copy = *methods;
        return copy;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ReadDatabase(OpenFile* file, void* buffer, int bytes, long offset)
    {
        lock (Lock)
            s_counts.DatabaseBytesRead += bytes;
        return s_realDatabase.Read(file, buffer, bytes, offset);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int WriteDatabase(OpenFile* file, void* buffer, int bytes, long offset)
    {
        lock (Lock)
            s_counts.DatabaseBytesWritten += bytes;
        return s_realDatabase.Write(file, buffer, bytes, offset);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SyncDatabase(OpenFile* file, int flags)
    {
        lock (Lock)
            s_counts.DatabaseSyncs++;
        return s_realDatabase.Sync(file, flags);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ReadWal(OpenFile* file, void* buffer, int bytes, long offset)
    {
        lock (Lock)
            s_counts.WalBytesRead += bytes;
        return s_realWal.Read(file, buffer, bytes, offset);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int WriteWal(OpenFile* file, void* buffer, int bytes, long offset)
    {
        lock (Lock)
            s_counts.WalBytesWritten += bytes;
        return s_realWal.Write(file, buffer, bytes, offset);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SyncWal(OpenFile* file, int flags)
    {
        lock (Lock)
            s_counts.WalSyncs++;
        return s_realWal.Sync(file, flags);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnConnection(nint connection, nint error, nint api) =>
        Trace(connection, TraceStatement | TraceRow, &Seen, 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Seen(uint what, nint context, nint statement, nint detail)
    {
        // SQLite's own reading of the schema, when a connection is first used, has no text.
        nint text = TextOf(statement);
        if (text == 0)
            return Ok;
        lock (Lock)
        {
            string name = NameOf(text);
            if (what == TraceStatement)
                s_counts.AddStatement(name);
            else
                s_counts.AddRow(name);
        }
        return Ok;
    }

    /// <summary>The file that a text came from; the text itself where it came from none.</summary>
    private static string NameOf(nint text)
    {
        // An address may be used again for another text, so it is compared, not trusted.
        ReadOnlySpan<byte> utf8 = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)text);
        if (NameOfText.TryGetValue(text, out string? known) && utf8.SequenceEqual(TextOfName[known]))
            return known;
        string sql = Encoding.UTF8.GetString(utf8);
        string name = Names.GetValueOrDefault(sql.Trim(), sql);
        NameOfText[text] = name;
        TextOfName[name] = utf8.ToArray();
        return name;
    }

    private static Dictionary<string, string> StatementNames()
    {
        const string Folder = "statements/";
        System.Reflection.Assembly journal = typeof(SqliteJournalStore).Assembly;
        var names = new Dictionary<string, string>();
        foreach (string resource in journal.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(journal.GetManifestResourceStream(resource)!);
            names.TryAdd(reader.ReadToEnd().Trim(), resource[Folder.Length..]);
        }
        return names;
    }

    private static void MustBeOk(int code)
    {
        if (code != Ok)
            throw new InvalidOperationException($"SQLite refused a hook with code {code}.");
    }
}
