using Spectre.Console;

namespace Statehouse.Cli;

/// <summary>A bar on standard error while something long runs; nothing at all where nobody would see it.</summary>
internal static class ProgressBar
{
    /// <summary>Below this, a bar would only flicker.</summary>
    private const long TotalMin = 2_000;

    /// <param name="terminal">Where it would be seen.</param>
    /// <param name="title">What is going on.</param>
    /// <param name="total">How many there are.</param>
    /// <param name="run">Says how many more are done, each time.</param>
    public static async Task<T> RunAsync<T>(Terminal terminal, string title, long total, Func<Action<long>, Task<T>> run)
    {
        if (!terminal.ShowsProgress || total < TotalMin)
            return await run(static _ => { });
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Error),
            ColorSystem = terminal.HasColor ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        return await console.Progress().AutoClear(true).HideCompleted(true).StartAsync(async context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: total);
            return await run(done => task.Increment(done));
        });
    }
}
