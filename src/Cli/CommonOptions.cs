using System.CommandLine;

namespace Statehouse.Cli;

/// <summary>The flags of every command, and what stands in for them: the environment, then a default.</summary>
internal sealed class CommonOptions
{
    public const string UrlVariable = "STATEHOUSE_URL";
    public const string NamespaceVariable = "STATEHOUSE_NAMESPACE";
    public const string NamespaceDefault = "default";

    private const string UrlDefault = "http://127.0.0.1:8080";

    private readonly Option<string?> _server = new("--server")
    {
        Description = $"Where the server listens; else {UrlVariable}, else {UrlDefault}",
        HelpName = "URL",
        Recursive = true,
    };

    private readonly Option<string?> _namespace = new("--namespace", "-N")
    {
        Description = $"The agents' namespace; else {NamespaceVariable}, else {NamespaceDefault}",
        HelpName = "NAME",
        Recursive = true,
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "The server's JSON, text for text; lists as one JSON value a line",
        Recursive = true,
    };

    private readonly Option<bool> _noColor = new("--no-color")
    {
        Description = "No colour; also where NO_COLOR is set or the output is no terminal",
        Recursive = true,
    };

    public void AddTo(RootCommand root)
    {
        root.Add(_server);
        root.Add(_namespace);
        root.Add(_json);
        root.Add(_noColor);
    }

    /// <summary>Gives a command its action: opens a session, runs, and turns failures into a line and an exit code.</summary>
    public void SetAction(Command command, Func<Session, ParseResult, Task<int>> run) =>
        command.SetAction((parsed, ending) => SessionRun.RunAsync(() => Open(parsed, ending), session => run(session, parsed)));

    private Session Open(ParseResult parsed, CancellationToken ending)
    {
        string? @namespace = parsed.GetValue(_namespace) ?? FromEnvironment(NamespaceVariable);
        return new Session(
            new StatehouseApi(ServerAddress.Parse(parsed.GetValue(_server) ?? FromEnvironment(UrlVariable) ?? UrlDefault)),
            new Terminal(noColor: parsed.GetValue(_noColor)),
            @namespace,
            parsed.GetValue(_json),
            ending);
    }

    /// <summary>An empty variable counts as not set, as it does for most programs.</summary>
    private static string? FromEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
