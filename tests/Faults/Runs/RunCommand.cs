namespace Statehouse.Faults.Runs;

/// <summary>The command line of the harness: <c>run --config NAME --minutes M --seed S --report FILE …</c>.</summary>
public static class RunCommand
{
    public static Task<int> RunAsync(string[] args, SystemCatalog systems) => throw new NotImplementedException($"{args.Length} {systems.Names.Count}");

    public static int Usage(TextWriter errors)
    {
        errors.WriteLine("usage: run|serve …");
        return 2;
    }
}
