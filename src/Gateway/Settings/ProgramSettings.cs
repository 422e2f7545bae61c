using System.Net;
using Statehouse.Agents;
using Statehouse.Executions;

namespace Statehouse.Gateway;

/// <summary>What every server program runs with, after all sources were heard. Names and sources: <see cref="SettingTable{T}"/>.</summary>
internal abstract record ProgramSettings
{
    /// <summary>Where HTTP listens; port 0 takes a free one. Default 127.0.0.1:8080.</summary>
    public IPEndPoint HttpAddress { get; init; } = new(IPAddress.Loopback, 8080);

    /// <summary>Where gRPC listens; port 0 takes a free one. Default 127.0.0.1:50051.</summary>
    public IPEndPoint GrpcAddress { get; init; } = new(IPAddress.Loopback, 50051);

    /// <summary>Connection string. Never shown.</summary>
    public string? Postgres { get; init; }

    /// <summary>How log lines look. Default JSON.</summary>
    public LogFormat Log { get; init; } = LogFormat.Json;

    public Limits Limits { get; init; } = Limits.Default;

    /// <summary>How executions are run.</summary>
    public ExecutionOptions Executions { get; init; } = new();
}

/// <summary>A setting that cannot be used. The message is the one line for the operator; the process exits with 2.</summary>
internal sealed class SettingsException(string message) : Exception(message);
