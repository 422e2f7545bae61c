using Statehouse.LocalCluster.Tests;
using Xunit.Runner.InProc.SystemConsole;

return SiloProcessDouble.IsMeant(args) ? await SiloProcessDouble.RunAsync(args) : await ConsoleRunner.Run(args);
