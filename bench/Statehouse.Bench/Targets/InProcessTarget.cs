using System.Collections.Frozen;
using Statehouse.Agents.Hosting;
using Statehouse.Bench.Measuring;

namespace Statehouse.Bench.Targets;

/// <summary>Agents in the load's own process: what journal and agents can do, no protocol in between.</summary>
internal sealed class InProcessTarget : ITarget
{
    private static readonly FrozenSet<RequestKind> s_answers =
        FrozenSet.Create(RequestKind.Put, RequestKind.Get, RequestKind.Scan, RequestKind.PutMany, RequestKind.PutTogether);

    private readonly JournalPlace _place;
    private readonly OpenedAgents _opened;
    private bool _isClosed;

    private InProcessTarget(JournalPlace place, OpenedAgents opened)
    {
        _place = place;
        _opened = opened;
    }

    public string Name => $"in process, {_place.Name}";

    public IReadOnlySet<RequestKind> Answers => s_answers;

    public string? NotComparable => null;

    public IReadOnlyList<WatchedProcess> Processes => _place.PostgresProcess is { } database
        ? [new WatchedProcess(Environment.ProcessId), new WatchedProcess(database, IsDatabase: true)]
        : [new WatchedProcess(Environment.ProcessId)];

    public static async Task<InProcessTarget> OpenAsync(JournalPlace place, LocalAgentsOptions? options = null) =>
        new(place, await OpenedAgents.OpenAsync(place, options));

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) => ValueTask.FromResult<ISession>(new InProcessSession(_opened.Agents));

    public async ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken) => await JournalPlace.CountCommitsAsync(_opened.Store);

    public async ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken) => await _place.DiskBytesAsync();

    /// <summary>This process cannot be killed; the store is closed and opened anew.</summary>
    public async ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken)
    {
        await DisposeAsync();
        return await _place.CountCommitsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isClosed)
            return;
        _isClosed = true;
        await _opened.DisposeAsync();
    }
}
