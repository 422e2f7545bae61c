using System.CommandLine;
using System.CommandLine.Parsing;

namespace Statehouse.Cli;

/// <summary>All commands under one root.</summary>
internal static class CommandTree
{
    private const string Description =
        "Looks into and works with a Statehouse server over HTTP. Data goes to standard output, everything else to "
        + "standard error. Exit codes: 0 ok, 1 refused, 2 usage, 3 cannot reach, 4 not found.";

    public static RootCommand Build()
    {
        var common = new CommonOptions();
        var root = new RootCommand(Description)
        {
            ServerCommands.Health(common),
            ServerCommands.Version(common),
            ListCommands.Agents(common),
            KeyCommands.Get(common),
            KeyCommands.Put(common),
            KeyCommands.Delete(common),
            ListCommands.Keys(common),
            ListCommands.Scan(common),
            ReplayCommand.Build(common),
            TailCommand.Build(common),
            DumpCommand.Build(common),
            LoadCommand.Build(common),
            InspectCommand.Build(common),
            VerifyCommand.Build(common),
            FeedCommand.Build(common),
            ExecutionCommands.Build(common),
            CompletionCommand.Build(),
        };
        common.AddTo(root);
        return root;
    }

    /// <summary>Names each mistake on standard error.</summary>
    /// <returns>The exit code.</returns>
    public static int SayWhatIsWrong(ParseResult command)
    {
        // A word that is no command says more than that one is missing, and comes last.
        IEnumerable<string> messages = command.UnmatchedTokens.Count > 0 ? [command.Errors[^1].Message] : command.Errors.Select(error => error.Message);
        foreach (string message in messages.Distinct())
            Console.Error.WriteLine($"statehousectl: {Printable.OneLine(message)}");
        string path = string.Join(' ', CommandPath(command));
        Console.Error.WriteLine($"statehousectl: see {path} --help");
        return ExitCode.Usage;
    }

    private static IEnumerable<string> CommandPath(ParseResult command)
    {
        var names = new List<string>();
        for (SymbolResult? result = command.CommandResult; result is CommandResult { Command: not RootCommand } named; result = named.Parent)
            names.Insert(0, named.Command.Name);
        return ["statehousectl", .. names];
    }
}
