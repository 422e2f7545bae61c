using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Peers;

/// <summary>A peer that is not the run's PostgreSQL alone.</summary>
internal interface IPeer : ITarget
{
    /// <summary>What runs, in which version, under which licence, and what it says of its durability, for instance <c>Redis 7.0.15, appendfsync always</c>.</summary>
    string Software { get; }
}
