using System.Globalization;
using Statehouse.Testing;

namespace Statehouse.Costs.Tests.Allocations;

/// <summary>One run of <see cref="AllocationCounter"/>, for all tests of the class that it serves.</summary>
public sealed class CountedProcess : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    private readonly Dictionary<string, double> _bytes = [];

    public async ValueTask InitializeAsync()
    {
        await using ChildProcess process = ChildProcess.StartDotnet(typeof(CountedProcess).Assembly.Location, [AllocationCounter.Command]);
        if (await process.WaitForExitAsync(Bound, TestContext.Current.CancellationToken) != 0)
            throw new InvalidOperationException($"The process whose allocations are counted failed:\n{process.Output}");
        foreach (string line in process.Output.Split('\n'))
        {
            if (line.Split('\t') is [string name, string median, _])
                _bytes.Add(name, double.Parse(median, CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Bytes that one operation allocates.</summary>
    public double BytesOf(string operation) =>
        _bytes.TryGetValue(operation, out double bytes) ? bytes : throw new ArgumentException($"'{operation}' was not measured.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
