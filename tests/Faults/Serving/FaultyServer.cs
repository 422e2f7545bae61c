namespace Statehouse.Faults.Serving;

/// <summary>
/// The single-node server as the product composes it, with what a fault test asks for put in through
/// the program's hooks: a crash point to die at, a trace of the points reached, a planted defect, a clock that can be moved.
/// </summary>
/// <remarks><c>serve [--crash-at POINT[:N]] [--trace FILE] [--defect NAME] [--clock-file FILE] -- FLAGS OF THE SERVER</c></remarks>
internal static class FaultyServer
{
    public static Task<int> RunAsync(string[] args) => throw new NotImplementedException(string.Join(' ', args));
}
