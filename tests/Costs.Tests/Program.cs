using Statehouse.Costs.Tests.Allocations;
using Xunit.Runner.InProc.SystemConsole;

return args switch
{
    [AllocationCounter.Command] => await AllocationCounter.RunAsync(),
    [AllocationTypes.Command, string operation] => await AllocationTypes.RunAsync(operation),
    _ => await ConsoleRunner.Run(args),
};
