namespace Statehouse.LocalCluster;

/// <summary>Ends a command: the message goes to standard error.</summary>
/// <param name="message">For a person; what happened, what was seen, what to do. The end of a log may follow on lines of its own.</param>
/// <param name="exitCode">One of <see cref="ClusterExitCode"/>.</param>
/// <param name="inner">Where it comes from.</param>
internal sealed class ClusterFailure(string message, int exitCode = ClusterExitCode.Failed, Exception? inner = null)
    : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;
}
