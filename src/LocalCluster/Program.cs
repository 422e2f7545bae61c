using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Statehouse.LocalCluster;

RootCommand root = ClusterCommands.Build();
// No response files: an argument that begins with '@' is a mistake like any other.
var parsing = new ParserConfiguration { ResponseFileTokenReplacer = null };
ParseResult command = CommandLineParser.Parse(root, args, parsing);
if (command.Action is ParseErrorAction)
    return ClusterCommands.SayWhatIsWrong(command);

// A signal cancels the command; what it started is then ended, which takes a while.
var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(2) };
return await command.InvokeAsync(invocation);
