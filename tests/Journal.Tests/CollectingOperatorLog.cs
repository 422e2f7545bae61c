using System.Collections.Concurrent;

namespace Statehouse.Journal.Tests;

/// <summary>Keeps what a store says to the operator, for tests that look.</summary>
public sealed class CollectingOperatorLog : IOperatorLog
{
    private readonly ConcurrentQueue<(OperatorLogLevel Level, string Message)> _messages = new();

    public IReadOnlyList<(OperatorLogLevel Level, string Message)> Messages => [.. _messages];

    public void Write(OperatorLogLevel level, string message, Exception? error = null) => _messages.Enqueue((level, message));
}
