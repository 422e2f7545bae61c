using System.Globalization;
using System.Security.Cryptography;

namespace Statehouse.LocalCluster;

/// <summary>
/// The PostgreSQL server that a cluster's folder owns: as durable as any, on 127.0.0.1 only, with a password, since every
/// user of the machine can reach loopback. No unix socket: its path may hold 107 bytes, and a folder's may be longer.
/// </summary>
internal static class PrivatePostgres
{
    private const string User = "statehouse";

    /// <summary>Durability is PostgreSQL's default; said here too, so that no site-wide default can take it away.</summary>
    private const string Settings = """

        # Written by ./statehouse cluster up. The port and max_connections are given at each start.
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        fsync = on
        full_page_writes = on
        synchronous_commit = on

        """;

    /// <summary>Root's clusters may stand in a folder that PostgreSQL's user cannot enter, such as root's home.</summary>
    private const string FolderElsewhere = "/var/lib/statehouse-clusters";

    /// <summary>A process's journal holds 18 connections at most; the rest is for Orleans' providers and for whoever looks in.</summary>
    private const int ConnectionsPerProcess = 40;

    private const int ConnectionsBeside = 20;

    /// <summary>Processes that may be added before the next start.</summary>
    private const int ProcessesLater = 8;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(30);

    /// <summary>Decides what the server will be, and makes its folder. Nothing runs yet.</summary>
    /// <exception cref="ClusterFailure">There are no server programs, or nobody to run them as.</exception>
    public static async Task<PrivatePostgresState> PrepareAsync(ClusterFolder folder, CancellationToken cancellationToken)
    {
        string programs = PostgresPrograms.Find();
        string? account = await ServerAccount.FindAsync(cancellationToken);
        string place = await MakeFolderAsync(folder.PostgresFolder, account, cancellationToken);
        if (!await ServerAccount.CanUseAsync(account, place, cancellationToken))
        {
            Directory.Delete(place);
            place = await MakeFolderElsewhereAsync(account, cancellationToken);
        }
        return new PrivatePostgresState
        {
            Folder = place,
            Programs = programs,
            Password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
        };
    }

    public static string ConnectionString(PrivatePostgresState server) => string.Create(
        CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={server.Port};Username={User};Password={server.Password};Database=postgres");

    /// <summary>Starts it, the first time after making its data; does nothing where it runs.</summary>
    /// <param name="server">Perhaps stopped or killed before.</param>
    /// <param name="processes">What will connect at first; their ports are not the server's to take.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="ClusterFailure">It did not start; says what it printed.</exception>
    public static async Task<PrivatePostgresState> StartAsync(
        PrivatePostgresState server, IReadOnlyList<ProcessState> processes, CancellationToken cancellationToken)
    {
        if (RunningServer.Of(DataOf(server)) is { } running)
            return server with { Port = running.Port };
        string? account = await ServerAccount.FindAsync(cancellationToken);
        if (!Directory.Exists(DataOf(server)))
            await MakeDataAsync(server, account, cancellationToken);
        RunningServer.DisownFile(DataOf(server));
        int port = new PortChooser(processes).Take(server.Port);
        int connections = ConnectionsPerProcess * (processes.Count + ProcessesLater) + ConnectionsBeside;
        string options = string.Create(CultureInfo.InvariantCulture, $"-p {port} -c max_connections={connections}");
        (int exitCode, string output) = await PgCtlAsync(server, account, cancellationToken, "start", "-w", "-l", LogOf(server), "-o", options);
        return exitCode == 0
            ? server with { Port = port }
            : throw new ClusterFailure($"PostgreSQL did not start: {output.Trim()}{LogTail.Of(LogOf(server))}");
    }

    /// <summary>Ends it in an orderly way; where open sessions will not let it within 30 s, as a crash would, which its data survives.</summary>
    /// <returns>False where it did not run.</returns>
    /// <exception cref="ClusterFailure">It still runs.</exception>
    public static async Task<bool> StopAsync(PrivatePostgresState server)
    {
        // pg_ctl goes by the id in postmaster.pid alone, which may be another process by now.
        if (RunningServer.Of(DataOf(server)) is not { Process: var process })
            return false;
        string? account = await ServerAccount.FindAsync(CancellationToken.None);
        string seconds = StopBound.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        (int exitCode, string output) = await PgCtlAsync(server, account, CancellationToken.None, "stop", "-w", "-m", "fast", "-t", seconds);
        if (exitCode != 0 && process.IsAlive)
            (exitCode, output) = await PgCtlAsync(server, account, CancellationToken.None, "stop", "-w", "-m", "immediate", "-t", seconds);
        if (exitCode != 0 && process.IsAlive)
            throw new ClusterFailure($"PostgreSQL (process {process.Pid}) does not stop: {output.Trim()}");
        return true;
    }

    /// <returns>null where it does not run.</returns>
    public static RunningServer? Find(PrivatePostgresState server) => RunningServer.Of(DataOf(server));

    /// <summary>Whether it ended otherwise than in order: it then recovers at its next start.</summary>
    public static bool WasBrokenOff(PrivatePostgresState server) => File.Exists(RunningServer.FileOf(DataOf(server))) && Find(server) is null;

    private static string DataOf(PrivatePostgresState server) => Path.Combine(server.Folder, "data");

    private static string LogOf(PrivatePostgresState server) => Path.Combine(server.Folder, "server.log");

    private static async Task<string> MakeFolderAsync(string folder, string? account, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, OwnerOnly);
        if (account is not null)
            await ServerAccount.GiveAsync(account, folder, cancellationToken);
        return folder;
    }

    private static async Task<string> MakeFolderElsewhereAsync(string? account, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(FolderElsewhere);
        File.SetUnixFileMode(FolderElsewhere, OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        string unique = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        string place = await MakeFolderAsync(Path.Combine(FolderElsewhere, unique), account, cancellationToken);
        if (await ServerAccount.CanUseAsync(account, place, cancellationToken))
            return place;
        Directory.Delete(place);
        throw new ClusterFailure($"user {account}, who runs PostgreSQL, can enter neither the cluster's folder nor {FolderElsewhere}.");
    }

    /// <summary>Under another name until it is whole, so that what an interrupted run left is not taken for data.</summary>
    private static async Task MakeDataAsync(PrivatePostgresState server, string? account, CancellationToken cancellationToken)
    {
        string unfinished = DataOf(server) + ".unfinished";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        string passwordFile = Path.Combine(server.Folder, "password");
        await WritePasswordAsync(passwordFile, server.Password, account, cancellationToken);
        (int exitCode, string output) = await OtherProgram.RunAsync(
            [Path.Combine(server.Programs, "initdb"), "-D", unfinished, "-U", User, "-A", "scram-sha-256", "--pwfile", passwordFile,
             "-E", "UTF8", "--locale=C"],
            account, ServerAccount.NoEnvironment, cancellationToken);
        File.Delete(passwordFile);
        if (exitCode != 0)
            throw new ClusterFailure($"initdb failed: {output.Trim()}");
        await File.AppendAllTextAsync(Path.Combine(unfinished, "postgresql.conf"), Settings, cancellationToken);
        Directory.Move(unfinished, DataOf(server));
    }

    private static async Task WritePasswordAsync(string file, string password, string? account, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using (var writer = new StreamWriter(file, options))
            await writer.WriteAsync(password);
        if (account is not null)
            await ServerAccount.GiveAsync(account, file, cancellationToken);
    }

    private static Task<(int ExitCode, string Output)> PgCtlAsync(
        PrivatePostgresState server, string? account, CancellationToken cancellationToken, params string[] arguments) =>
        OtherProgram.RunAsync(
            ["bash", "-c", OtherProgram.CloseAndRun, "statehouse-cluster", Path.Combine(server.Programs, "pg_ctl"), "-D", DataOf(server), .. arguments],
            account, ServerAccount.NoEnvironment, cancellationToken);
}
