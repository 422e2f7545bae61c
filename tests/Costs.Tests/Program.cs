using Statehouse.Costs.Tests.Allocations;
using Xunit.Runner.InProc.SystemConsole;

return args is [AllocationCounter.Command] ? await AllocationCounter.RunAsync() : await ConsoleRunner.Run(args);
