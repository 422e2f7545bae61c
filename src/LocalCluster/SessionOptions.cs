using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary>The flags of every command.</summary>
internal sealed class SessionOptions
{
    private const string DataDefault = "./cluster-data";

    private readonly Option<string> _data = new("--data")
    {
        Description = "The cluster's folder; each holds a cluster of its own",
        HelpName = "DIR",
        DefaultValueFactory = _ => DataDefault,
        Recursive = true,
    };

    /// <summary>From the script, which has built it.</summary>
    private readonly Option<string?> _siloProgram = new("--silo-program") { Hidden = true, Recursive = true };

    /// <summary>From the script, where it found that they cannot be had.</summary>
    private readonly Option<string?> _missingPackages = new("--missing-packages") { Hidden = true, Recursive = true };

    public SessionOptions() => _data.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<string>() is "" or null)
            result.AddError("--data must name a folder");
    });

    public void AddTo(RootCommand root)
    {
        root.Add(_data);
        root.Add(_siloProgram);
        root.Add(_missingPackages);
    }

    /// <summary>Gives a command its action: runs it, and turns failures into lines and an exit code.</summary>
    public void SetAction(Command command, Func<ClusterSession, ParseResult, Task> run) =>
        command.SetAction((parsed, ending) => RunAsync(Open(parsed, ending), session => run(session, parsed)));

    /// <param name="flag">Its name.</param>
    /// <param name="description">What it counts.</param>
    /// <param name="standard">Where it is not given.</param>
    /// <param name="max">The least is 1.</param>
    public static Option<int> Number(string flag, string description, int standard, int max)
    {
        var option = new Option<int>(flag) { Description = description, HelpName = "N", DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && (value < 1 || value > max))
                result.AddError($"{flag} is {value}; it must be from 1 to {max}");
        });
        return option;
    }

    private ClusterSession Open(ParseResult parsed, CancellationToken ending) => new(
        new ClusterFolder(parsed.GetValue(_data)!), parsed.GetValue(_siloProgram), parsed.GetValue(_missingPackages), ending);

    private static async Task<int> RunAsync(ClusterSession session, Func<ClusterSession, Task> run)
    {
        try
        {
            session.RequireMachine();
            await run(session);
            return ClusterExitCode.Ok;
        }
        catch (Exception error) when (session.Ending.IsCancellationRequested && error is ClusterFailure or OperationCanceledException)
        {
            session.Note("interrupted");
            return ClusterExitCode.Interrupted;
        }
        catch (ClusterFailure failure)
        {
            session.Note(failure.Message);
            return failure.ExitCode;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            session.Note(error.Message);
            return ClusterExitCode.Failed;
        }
    }
}
