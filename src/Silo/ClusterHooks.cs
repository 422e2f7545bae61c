using Statehouse.Gateway;

namespace Statehouse.Silo;

/// <summary>As <see cref="ProgramHooks"/>, for a process of the cluster.</summary>
internal sealed record ClusterHooks : ProgramHooks
{
    /// <inheritdoc cref="ProgramHooks.None"/>
    public static new readonly ClusterHooks None = new();

    /// <summary>
    /// Has the last word on how the silo is set up, for instance under which address others reach it; null = nobody has. Not
    /// called in a process that hosts no agents.
    /// </summary>
    public Action<ISiloBuilder>? Silo { get; init; }
}
