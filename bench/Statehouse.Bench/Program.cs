using System.CommandLine;
using System.CommandLine.Parsing;
using Statehouse.Bench.Commands;

// ./statehouse bench: figures, and commands that measure one thing by itself.
RootCommand root = BenchCommand.Build();
root.Add(CommitsCommand.Build());
root.Add(StoreCommand.Build());
root.Add(ExecutionsCommand.Build());
root.Add(NoopCommand.Build());
ParseResult parsed = CommandLineParser.Parse(root, args, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Errors.Count > 0)
{
    await Console.Error.WriteLineAsync($"statehouse: {parsed.Errors[0].Message.TrimEnd('.')}; see ./statehouse bench --help");
    return BenchCommand.Usage;
}
return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
