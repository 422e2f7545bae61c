namespace Statehouse.Gateway;

/// <summary>A program cannot start or stop as it should. The message is the one line for the operator; the process exits with 1.</summary>
internal sealed class ProgramException(string message, Exception? inner = null) : Exception(message, inner);
