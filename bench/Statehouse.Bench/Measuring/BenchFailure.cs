namespace Statehouse.Bench.Measuring;

/// <summary>A figure cannot be had or cannot be trusted; the message says why. The program ends with 1.</summary>
internal sealed class BenchFailure : Exception
{
    public BenchFailure(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

/// <summary>Something that a figure needs is not on this machine: it is left out by name, and fails only where it was asked for.</summary>
internal sealed class MissingHere(string what) : Exception(what);
