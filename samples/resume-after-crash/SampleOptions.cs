using System.Globalization;

namespace Statehouse.Samples.ResumeAfterCrash;

/// <summary>What the command line says.</summary>
/// <param name="Server">Where Statehouse listens.</param>
/// <param name="Run">Names the run; the same name goes on with it.</param>
/// <param name="Steps">1..1,000.</param>
/// <param name="Think">How long each step pretends to think: half of it before it acts, half over the answer.</param>
/// <param name="Patience">How long one request is repeated while the server is away.</param>
internal sealed record SampleOptions(Uri Server, string Run, int Steps, TimeSpan Think, TimeSpan Patience)
{
    private static readonly SampleOptions Default = new(
        new Uri("http://127.0.0.1:8080"), "run-1", Steps: 20, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(60));

    public static bool TryParse(string[] args, out SampleOptions options, out string problem)
    {
        options = Default;
        problem = "";
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !options.TrySet(args[i], args[i + 1], out options))
            {
                problem = $"Not understood: {string.Join(' ', args[i..])}. Flags: --server URL, --run ID, --steps 1..1000, --think-ms N, --patience-s N";
                return false;
            }
        }
        return true;
    }

    private bool TrySet(string flag, string text, out SampleOptions changed)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            number = -1;
        SampleOptions? next = flag switch
        {
            "--server" when Uri.TryCreate(text, UriKind.Absolute, out Uri? server) => this with { Server = server },
            "--run" when text.Length > 0 => this with { Run = text },
            "--steps" when number is >= 1 and <= 1000 => this with { Steps = number },
            "--think-ms" when number >= 0 => this with { Think = TimeSpan.FromMilliseconds(number) },
            "--patience-s" when number > 0 => this with { Patience = TimeSpan.FromSeconds(number) },
            _ => null,
        };
        changed = next ?? this;
        return next is not null;
    }
}
