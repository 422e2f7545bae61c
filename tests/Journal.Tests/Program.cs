using Statehouse.Journal.Tests;
using Xunit.Runner.InProc.SystemConsole;

return args is [AppendUntilKilled.Command, string dataDirectory]
    ? await AppendUntilKilled.RunAsync(dataDirectory)
    : await ConsoleRunner.Run(args);
