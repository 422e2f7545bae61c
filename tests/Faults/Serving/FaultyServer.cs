using Statehouse.Gateway;

namespace Statehouse.Faults.Serving;

/// <summary>
/// The single-node server as the product composes it, with what a fault test asks for put in through
/// the program's hooks: a crash point to die at, a trace of the points reached, a planted defect, a clock that can be moved.
/// </summary>
/// <remarks>
/// <c>serve [--crash-at POINT[:N]] [--trace FILE] [--defect NAME] [--clock-file FILE] [--snapshot-tail BYTES] -- FLAGS OF THE SERVER</c>;
/// <c>--snapshot-tail</c> makes snapshots of agents that have grown by so little, where 64 KiB would be too long to wait for.
/// </remarks>
internal static class FaultyServer
{
    public static async Task<int> RunAsync(string[] args)
    {
        using ServingFaults? faults = ServingFaults.Parse(args, Console.Error);
        if (faults is null)
            return 2;
        return await new SingleNodeProgram(faults.Into(ProgramHooks.None)).RunAsync(faults.ProgramArgs, Console.Out, Console.Error);
    }
}
