using System.Text.Json.Serialization;

namespace Statehouse.LocalCluster;

/// <summary>What <c>cluster.json</c> holds: all that a later command must know of the cluster in its folder.</summary>
internal sealed record ClusterState
{
    public const int CurrentFormat = 1;

    public required int Format { get; init; }

    /// <summary>
    /// Of one <c>up</c>: entries that silos of an earlier one left in the membership table, killed before they could
    /// sign off, are none of this cluster's.
    /// </summary>
    public required string ClusterId { get; init; }

    public required PostgresState Postgres { get; init; }

    /// <summary><c>NAME=VALUE</c> each, for every process.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];

    /// <summary>In the order of their numbers, those that have ended included.</summary>
    public IReadOnlyList<ProcessState> Processes { get; init; } = [];

    [JsonIgnore]
    public IEnumerable<ProcessState> Alive => Processes.Where(each => each.IsAlive);

    [JsonIgnore]
    public IEnumerable<ProcessState> LivingGateways => Alive.Where(each => each.Role == ClusterRole.Gateway);

    /// <returns>null where the cluster never had such a process.</returns>
    public ProcessState? Find(int number) => Processes.FirstOrDefault(each => each.Number == number);

    /// <summary>Puts a process in, instead of the one with its number.</summary>
    public ClusterState With(ProcessState process) => this with
    {
        Processes = [.. Processes.Where(each => each.Number != process.Number).Append(process).OrderBy(each => each.Number)],
    };
}

/// <summary>Exactly one of the two is set, at the first <c>up</c> of a folder, and stays what it is.</summary>
internal sealed record PostgresState
{
    /// <summary>A server of somebody else's, by its connection string.</summary>
    public string? ConnectionString { get; init; }

    public PrivatePostgresState? Private { get; init; }
}

/// <summary>A server that the cluster's folder owns.</summary>
internal sealed record PrivatePostgresState
{
    /// <summary>Holds <c>data/</c> and <c>server.log</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>Where initdb, pg_ctl and postgres are: data of one major version needs programs of the same.</summary>
    public required string Programs { get; init; }

    /// <summary>Of the database's superuser. That is why <c>cluster.json</c> is for its owner's eyes only.</summary>
    public required string Password { get; init; }

    /// <summary>On 127.0.0.1; 0 before the first start.</summary>
    public int Port { get; init; }
}

internal enum ClusterRole
{
    Silo,
    Gateway,
}

/// <summary>One silo or gateway.</summary>
internal sealed record ProcessState
{
    /// <summary>1, 2, 3, …: how commands name it.</summary>
    public required int Number { get; init; }

    public required ClusterRole Role { get; init; }

    public required ProcessPorts Ports { get; init; }

    /// <summary>The process when it was last started.</summary>
    public ProcessIdentity? Identity { get; init; }

    /// <summary>Whether it has been ready since then.</summary>
    public bool WasReady { get; init; }

    /// <summary>Whether a command has ended it by SIGTERM since then.</summary>
    public bool WasStopped { get; init; }

    [JsonIgnore]
    public bool IsAlive => Identity is { IsAlive: true };

    [JsonIgnore]
    public string Http => $"http://127.0.0.1:{Ports.Http}";

    [JsonIgnore]
    public string? Grpc => Ports.Grpc is { } port ? $"127.0.0.1:{port}" : null;

    [JsonIgnore]
    public string? Dashboard => Ports.Dashboard is { } port ? $"http://127.0.0.1:{port}/dashboard" : null;

    public override string ToString() => $"{(Role == ClusterRole.Silo ? "silo" : "gateway")} {Number}";
}

/// <summary>Where a process listens on 127.0.0.1; null = not at all. They stay over restarts, so that clients find it again.</summary>
/// <param name="Http">Health and metrics; of a gateway the API too.</param>
/// <param name="Grpc">A gateway's API.</param>
/// <param name="Silo">Silo to silo.</param>
/// <param name="OrleansGateway">Gateway to silo.</param>
/// <param name="Dashboard">The first silo's.</param>
internal sealed record ProcessPorts(int Http, int? Grpc, int? Silo, int? OrleansGateway, int? Dashboard);
