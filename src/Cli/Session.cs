namespace Statehouse.Cli;

/// <summary>What a command works with.</summary>
/// <param name="api">The server.</param>
/// <param name="terminal">Where output goes.</param>
/// <param name="namespaceGiven">As given by flag or environment; null where neither did.</param>
/// <param name="json">Whether the output is for a program.</param>
/// <param name="ending">Cancelled by SIGINT and SIGTERM.</param>
internal sealed class Session(StatehouseApi api, Terminal terminal, string? namespaceGiven, bool json, CancellationToken ending) : IDisposable
{
    public StatehouseApi Api { get; } = api;

    public Terminal Terminal { get; } = terminal;

    public string? NamespaceGiven { get; } = namespaceGiven;

    public string Namespace => NamespaceGiven ?? CommonOptions.NamespaceDefault;

    public bool Json { get; } = json;

    public CancellationToken Ending { get; } = ending;

    public AgentPath Agent(string agent) => new(Namespace, agent);

    public void Dispose()
    {
        Api.Dispose();
        Terminal.Dispose();
    }
}
