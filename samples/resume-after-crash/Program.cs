using Statehouse.Samples.ResumeAfterCrash;

// Usage: resume-after-crash [--server URL] [--run ID] [--steps N] [--think-ms N] [--patience-s N]
// Exit codes: 0 the run is done; 1 it gave up, start it again; 2 wrong usage.
if (!SampleOptions.TryParse(args, out SampleOptions options, out string problem))
{
    Console.Error.WriteLine(problem);
    return 2;
}

using var http = new HttpClient { BaseAddress = options.Server, Timeout = TimeSpan.FromSeconds(10) };
var statehouse = new StatehouseClient(http, TimeProvider.System, options.Patience);
var agent = new StepAgent(statehouse, options, TimeProvider.System);
try
{
    await agent.RunAsync(CancellationToken.None);
    return 0;
}
catch (StatehouseUnavailableException error)
{
    Console.Error.WriteLine($"{error.Message} Start this again: it goes on where it was.");
    return 1;
}
