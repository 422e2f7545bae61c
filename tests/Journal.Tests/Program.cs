using Statehouse.Journal.Tests;
using Xunit.Runner.InProc.SystemConsole;

return args is [AppendUntilKilled.Command, string dataDirectory, string acknowledgements]
    ? await AppendUntilKilled.RunAsync(dataDirectory, acknowledgements)
    : await ConsoleRunner.Run(args);
