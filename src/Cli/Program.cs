using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Statehouse.Cli;

RootCommand root = CommandTree.Build();
// No response files: a key may begin with '@'.
var parsing = new ParserConfiguration { ResponseFileTokenReplacer = null };
ParseResult command = CommandLineParser.Parse(root, args, parsing);
if (command.Action is ParseErrorAction)
    return CommandTree.SayWhatIsWrong(command);

using var signals = new EndingSignals();
var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
int exitCode = await command.InvokeAsync(invocation, signals.Ending);
return signals.ExitCode ?? exitCode;
