using System.Text;

namespace Statehouse.Gateway;

internal enum LogFormat
{
    /// <summary>One JSON object a line: <c>{time, level, category, event_id, message, error?, …}</c>.</summary>
    Json,

    /// <summary>One readable line, then the exception's text where there is one.</summary>
    Text,
}

/// <summary>
/// Log lines on one writer, standard error in the server. Ours from Information on; Kestrel's from Warning on, since it
/// reports what clients do wrong.
/// </summary>
internal sealed class LineLoggerProvider(TextWriter output, LogFormat format, TimeProvider clock) : ILoggerProvider
{
    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName) => new LineLogger(this, categoryName);

    public void Dispose()
    {
    }

    private void Write(string category, LogLevel level, EventId id, string message, Exception? error, object? state)
    {
        string line = format == LogFormat.Json
            ? JsonLine(category, level, id, message, error, state as IReadOnlyList<KeyValuePair<string, object?>>)
            : TextLine(level, message, error);
        lock (_lock)
        {
            output.WriteLine(line);
        }
    }

    private string JsonLine(
        string category, LogLevel level, EventId id, string message, Exception? error, IReadOnlyList<KeyValuePair<string, object?>>? members)
    {
        using var json = new JsonBuffer();
        json.Raw("{\"time\":"u8).String(clock.GetUtcNow().ToString("O"))
            .Raw(",\"level\":"u8).String(Name(level))
            .Raw(",\"category\":"u8).String(category)
            .Raw(",\"event_id\":"u8).Number(id.Id)
            .Raw(",\"message\":"u8).String(message);
        foreach ((string name, object? value) in members ?? [])
        {
            // The template itself, and what only repeats the message.
            if (name is "{OriginalFormat}" or "Message")
                continue;
            json.Raw(","u8).String(SnakeCase(name)).Raw(":"u8).String(value?.ToString() ?? "");
        }
        if (error is not null)
            json.Raw(",\"error\":"u8).String(error.ToString());
        json.Raw("}"u8);
        return Encoding.UTF8.GetString(json.Written.Span);
    }

    private string TextLine(LogLevel level, string message, Exception? error)
    {
        string line = $"{clock.GetUtcNow():yyyy-MM-dd HH:mm:ss.fff} {Name(level),-7} {message.ReplaceLineEndings(" ")}";
        return error is null ? line : line + Environment.NewLine + error;
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        LogLevel.Critical => "fatal",
        _ => "debug",
    };

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));

    private sealed class LineLogger(LineLoggerProvider provider, string category) : ILogger
    {
        private readonly LogLevel _least =
            category.StartsWith("Statehouse", StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= _least && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                provider.Write(category, logLevel, eventId, formatter(state, exception), exception, state);
        }
    }
}
