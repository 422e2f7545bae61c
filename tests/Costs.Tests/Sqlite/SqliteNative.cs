using System.Runtime.InteropServices;

namespace Statehouse.Costs.Tests.Sqlite;

/// <summary>
/// The C interface of the SQLite that the journal runs on, as far as it can be watched from outside: a file system of our
/// own, and a look at each statement. Source: https://sqlite.org/c3ref/vfs.html, io_methods.html, trace_v2.html.
/// </summary>
internal static unsafe partial class SqliteNative
{
    public const int Ok = 0;
    public const int OpenMainDatabase = 0x100;
    public const int OpenWal = 0x80000;
    public const uint TraceStatement = 1;
    public const uint TraceRow = 4;

    private const string Library = "e_sqlite3";

    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_find", StringMarshalling = StringMarshalling.Utf8)]
    public static partial FileSystem* FindFileSystem(string? name);

    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_register")]
    public static partial int RegisterFileSystem(FileSystem* fileSystem, int makeDefault);

    [LibraryImport(Library, EntryPoint = "sqlite3_auto_extension")]
    public static partial int OnEachConnection(delegate* unmanaged[Cdecl]<nint, nint, nint, int> entryPoint);

    [LibraryImport(Library, EntryPoint = "sqlite3_trace_v2")]
    public static partial int Trace(nint connection, uint events, delegate* unmanaged[Cdecl]<uint, nint, nint, nint, int> seen, nint context);

    [LibraryImport(Library, EntryPoint = "sqlite3_sql")]
    public static partial nint TextOf(nint statement);

    /// <summary>sqlite3_vfs, version 3. Only what is called or replaced here has a type.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileSystem
    {
        public int Version;
        public int FileBytes;
        public int PathMax;
        public FileSystem* Next;
        public byte* Name;
        public nint Data;
        public delegate* unmanaged[Cdecl]<FileSystem*, byte*, OpenFile*, int, int*, int> Open;
        public Others11 OthersOfVersion1;
        public nint CurrentTimeInt64, SetSystemCall, GetSystemCall, NextSystemCall;
    }

    /// <summary>xDelete, xAccess, xFullPathname, xDlOpen, xDlError, xDlSym, xDlClose, xRandomness, xSleep, xCurrentTime, xGetLastError.</summary>
    [System.Runtime.CompilerServices.InlineArray(11)]
    public struct Others11
    {
        public nint First;
    }

    /// <summary>sqlite3_file: what it can do; the rest is the file system's own.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct OpenFile
    {
        public FileMethods* Methods;
    }

    /// <summary>sqlite3_io_methods, version 3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileMethods
    {
        public int Version;
        public nint Close;
        public delegate* unmanaged[Cdecl]<OpenFile*, void*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<OpenFile*, void*, int, long, int> Write;
        public nint Truncate;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int> Sync;
        public nint FileSize, Lock, Unlock, CheckReservedLock, FileControl, SectorSize, DeviceCharacteristics;
        public nint ShmMap, ShmLock, ShmBarrier, ShmUnmap;
        public nint Fetch, Unfetch;
    }
}
