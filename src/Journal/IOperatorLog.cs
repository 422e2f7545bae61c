namespace Statehouse.Journal;

public enum OperatorLogLevel : byte
{
    Information,
    Warning,
    Error,
}

/// <summary>
/// Where the layers below a host say what an operator should know. The host puts its own logger behind it; the
/// Journal and the Agents so need no logging package.
/// </summary>
public interface IOperatorLog
{
    /// <param name="level">Warning: degraded but right. Error: somebody must look.</param>
    /// <param name="message">One sentence: what happened, to what, what follows. Never a value or a secret.</param>
    /// <param name="error">What caused it.</param>
    void Write(OperatorLogLevel level, string message, Exception? error = null);
}

/// <summary>Drops everything: for tests that do not look.</summary>
public sealed class SilentOperatorLog : IOperatorLog
{
    public static readonly SilentOperatorLog Instance = new();

    public void Write(OperatorLogLevel level, string message, Exception? error = null)
    {
    }
}
