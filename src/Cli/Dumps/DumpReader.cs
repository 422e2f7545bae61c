using System.Globalization;
using System.Runtime.CompilerServices;

namespace Statehouse.Cli;

/// <summary>Reads a dump and checks its hash chain on the way: no commit is handed out that is not what it was.</summary>
internal sealed class DumpReader : IAsyncDisposable
{
    private readonly IAsyncEnumerator<ReadOnlyMemory<byte>> _lines;

    private DumpReader(IAsyncEnumerator<ReadOnlyMemory<byte>> lines, DumpHeader header)
    {
        _lines = lines;
        Header = header;
    }

    public DumpHeader Header { get; }

    /// <exception cref="CommandFailure">Usage: it is no dump.</exception>
    public static async Task<DumpReader> OpenAsync(Stream input, CancellationToken cancellationToken)
    {
        IAsyncEnumerator<ReadOnlyMemory<byte>> lines = new LineReader(input).LinesAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        if (!await lines.MoveNextAsync())
            throw CommandFailure.Usage("this is no dump: it is empty.");
        return new DumpReader(lines, DumpHeader.Parse(lines.Current));
    }

    /// <summary>All commits, in order.</summary>
    /// <exception cref="CommandFailure">A commit was changed, is missing, or the dump ends early; says at which version.</exception>
    public async IAsyncEnumerable<CommitText> CommitsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HeadText head = Header.Head;
        var chain = new ChainCheck(Header.Namespace, Header.Agent, head.FirstVersion);
        while (await _lines.MoveNextAsync())
        {
            cancellationToken.ThrowIfCancellationRequested();
            CommitText commit = Parse(_lines.Current, chain.Next);
            if (chain.Fault(commit) is { } fault)
                throw Damaged(chain.Next, fault);
            yield return commit;
        }
        if (chain.Next != head.Version + 1)
            throw Damaged(chain.Next, string.Create(CultureInfo.InvariantCulture, $"the dump ends here, but its header promises {head.Version} versions"));
        if (chain.Hash != head.Hash)
            throw Damaged(head.Version, $"the chain ends with {chain.Hash}, but its header promises {head.Hash}");
    }

    public ValueTask DisposeAsync() => _lines.DisposeAsync();

    private static CommitText Parse(ReadOnlyMemory<byte> line, long version)
    {
        try
        {
            return DumpHeader.ParseCommit(line);
        }
        catch (CommandFailure failure)
        {
            throw Damaged(version, failure.Message);
        }
    }

    private static CommandFailure Damaged(long version, string fault) =>
        CommandFailure.Refused(string.Create(CultureInfo.InvariantCulture, $"the dump is damaged at version {version}: {fault}"));
}
