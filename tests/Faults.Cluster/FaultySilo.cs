namespace Statehouse.Faults.Cluster;

/// <summary>As <see cref="Serving.FaultyServer"/>, for a process of the cluster.</summary>
internal static class FaultySilo
{
    public static Task<int> RunAsync(string[] args) => throw new NotImplementedException(string.Join(' ', args));
}
