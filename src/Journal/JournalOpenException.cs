namespace Statehouse.Journal;

/// <summary>A store cannot be opened as it is configured or as its data stands. The message says what to change.</summary>
public sealed class JournalOpenException(string message, Exception? inner = null) : Exception(message, inner);
