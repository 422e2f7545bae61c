using Statehouse.Faults.Runs;
using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Cluster;

/// <summary>The single node's configurations, and <c>cluster</c>.</summary>
public sealed class ClusterCatalog : SystemCatalog
{
    public override IReadOnlyList<string> Names => [.. base.Names, "cluster"];

    public override ISystemUnderTest Create(string name, SystemOptions options) =>
        name == "cluster" ? new ClusterSystem(options) : base.Create(name, options);
}
