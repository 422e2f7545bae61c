using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Row numbers for new agents, drawn in blocks: so an agent's first append needs no round trip more than any other.
/// What is left of a block when the process ends stays unused.
/// </summary>
internal sealed class StreamIds(PostgresSessions sessions) : IDisposable
{
    /// <summary>The sequence's increment in 0001_layout.sql.</summary>
    private const int BlockSize = 1000;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _next;
    private long _blockEnd;

    /// <exception cref="JournalUnavailableException">SH-2001. A new block could not be drawn.</exception>
    public async ValueTask<long> NextAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_next == _blockEnd)
            {
                _next = await sessions.CallAsync(DrawBlockAsync, cancellationToken).ConfigureAwait(false);
                _blockEnd = _next + BlockSize;
            }
            return _next++;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private static async Task<long> DrawBlockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.NextStreamIds, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }
}
