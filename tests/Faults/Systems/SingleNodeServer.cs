using Statehouse.Faults.Clients;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Runs;
using Statehouse.Testing;

namespace Statehouse.Faults.Systems;

/// <summary>The product's single-node server as a system starts it.</summary>
internal static class SingleNodeServer
{
    /// <summary>What <see cref="Connect"/> takes.</summary>
    public static IReadOnlyList<string> Protocols { get; } = ["http", "grpc"];

    /// <param name="name">For instance <c>server 1</c>.</param>
    /// <param name="folder">Of the run.</param>
    /// <param name="options">Defects and crash points.</param>
    /// <param name="hasMovableClock">Whether clock-jump can move its clock.</param>
    /// <param name="journalFlags">Which journal it opens; asked for at each start.</param>
    public static ManagedServer Create(
        string name, RunFolder folder, SystemOptions options, bool hasMovableClock, Func<ManagedServer, IReadOnlyList<string>> journalFlags)
    {
        var ports = new ServerPorts(LoopbackPorts.Take(), LoopbackPorts.Take());
        ManagedServer? server = null;
        var command = new ServerCommand(
            Repository.BuiltDll("src/Gateway", "Statehouse.Gateway"),
            Repository.BuiltDll("tests/Faults", "Statehouse.Faults"),
            "serve",
            () => ["--http", $"127.0.0.1:{ports.Http}", "--grpc", $"127.0.0.1:{ports.Grpc}", .. journalFlags(server!)])
        {
            ClockFile = hasMovableClock ? ClockFile(name, folder) : null,
            Defect = options.Defect,
        };
        server = new ManagedServer(name, folder, ports, command) { Door = (new TcpProxy(ports.Http), new TcpProxy(ports.Grpc)) };
        server.Links.Add(("HTTP clients to", server.Door.Value.Http));
        server.Links.Add(("gRPC clients to", server.Door.Value.Grpc));
        return server;
    }

    /// <summary>Through the server's door, where the network may be bad.</summary>
    public static IStoreClient Connect(ManagedServer server, string protocol, bool isShared) => protocol switch
    {
        "http" => new HttpStoreClient(Address(server.Door!.Value.Http.Port), isShared),
        "grpc" => new GrpcStoreClient(Address(server.Door!.Value.Grpc.Port)),
        _ => throw new ArgumentException($"There is no protocol '{protocol}' here.", nameof(protocol)),
    };

    /// <summary>The server's own HTTP address, past its door.</summary>
    public static string Straight(ManagedServer server) => Address(server.Ports.Http);

    /// <summary>Holds 0: the true time.</summary>
    public static string ClockFile(string name, RunFolder folder)
    {
        string file = folder.PathOf($"{name.Replace(' ', '-')}.clock");
        File.WriteAllText(file, "0");
        return file;
    }

    private static string Address(int port) => $"127.0.0.1:{port}";
}
