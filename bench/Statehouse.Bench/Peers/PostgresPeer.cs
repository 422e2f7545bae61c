using System.Collections.Concurrent;
using System.Collections.Frozen;
using Npgsql;
using NpgsqlTypes;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Testing;

namespace Statehouse.Bench.Peers;

/// <summary>
/// A table of agents' keys in the run's PostgreSQL, as one writes it by hand: an upsert per write, alone or behind the row of a
/// journal in the same transaction. Statements are prepared, a write is one round trip, connections stay open.
/// </summary>
internal sealed class PostgresPeer : ITarget
{
    /// <summary>More callers share these: as many as Npgsql's own pool has by default, and more processes than that only get in each other's way.</summary>
    public const int ConnectionsMax = 100;

    private const string Tables = """
        create table state (agent text not null, key text not null, value jsonb not null, version bigint not null default 1, primary key (agent, key));
        create table journal (id bigint generated always as identity primary key, agent text not null, key text not null, value jsonb not null, at timestamptz not null default now());
        create index on journal (agent, id);
        """;

    private static readonly string s_client =
        $"at most {ConnectionsMax} connections; the client is Npgsql, which takes more processor time than the benchmark's own client of Statehouse's HTTP: it is printed beside the server's";

    private static readonly FrozenSet<RequestKind> s_answers = FrozenSet.Create(RequestKind.Put, RequestKind.Get);

    private readonly PostgresCluster _server;
    private readonly string _database;
    private readonly bool _keepsJournal;
    private readonly ConcurrentStack<PreparedStatements> _free = new();
    private readonly SemaphoreSlim _freeCount = new(0);
    private int _opened;
    private int _sessions;

    private PostgresPeer(PostgresCluster server, string database, bool keepsJournal) =>
        (_server, _database, _keepsJournal) = (server, database, keepsJournal);

    public string Name => _keepsJournal ? "PostgreSQL, journal row and upsert" : "PostgreSQL, upsert";

    public IReadOnlySet<RequestKind> Answers => s_answers;

    public string NotComparable => _keepsJournal
        ? $"no version to write against, no idempotency key, no hash chain, no feed; a row per write and one per key, both jsonb; {s_client}"
        : $"no history: a write replaces what was there; no idempotency key, no feed; one jsonb row per key; {s_client}";

    public IReadOnlyList<WatchedProcess> Processes => [new WatchedProcess(_server.ServerProcessId, IsDatabase: true)];

    public static async Task<PostgresPeer> StartAsync(BenchHost host, bool keepsJournal)
    {
        PostgresCluster server = await host.PostgresAsync();
        string database = await server.CreateDatabaseAsync();
        await PostgresCluster.ExecuteAsync(database, Tables);
        return new PostgresPeer(server, database, keepsJournal);
    }

    public async ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken)
    {
        _sessions++;
        if (_opened < ConnectionsMax)
        {
            _opened++;
            Return(await PreparedStatements.OpenAsync(_database, _keepsJournal));
        }
        return new PostgresPeerSession(this);
    }

    /// <summary>Each write either adds a row to the journal or one to its key's version.</summary>
    public async ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken) => await PostgresCluster.QueryAsync<long>(
        _database, _keepsJournal ? "select count(*) from journal" : "select coalesce(sum(version), 0)::bigint from state");

    public async ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken)
    {
        await PostgresCluster.ExecuteAsync(_database, "checkpoint");
        return await PostgresCluster.QueryAsync<long>(_database, "select pg_database_size(current_database())");
    }

    public async ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken)
    {
        await _server.KillAsync();
        await _server.StartAsync();
        return await CountCommitsAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        while (_free.TryPop(out PreparedStatements? statements))
            await statements.DisposeAsync();
        _freeCount.Dispose();
    }

    internal PreparedStatements Borrow()
    {
        _freeCount.Wait();
        return _free.TryPop(out PreparedStatements? statements) ? statements : throw new InvalidOperationException("There are fewer connections than were counted.");
    }

    internal void Return(PreparedStatements statements)
    {
        _free.Push(statements);
        _freeCount.Release();
    }

    /// <summary>The last session to go takes the connections with it: others measure now, and an open session costs the server.</summary>
    internal async ValueTask LeaveAsync()
    {
        if (--_sessions > 0)
            return;
        for (; _opened > 0; _opened--)
            await Borrow().DisposeAsync();
    }

    /// <summary>One caller, which borrows a connection for each request.</summary>
    private sealed class PostgresPeerSession(PostgresPeer peer) : ISession
    {
        public bool Blocks => true;

        public ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken)
        {
            PreparedStatements statements = peer.Borrow();
            try
            {
                return ValueTask.FromResult(request.Kind switch
                {
                    RequestKind.Put => statements.Put(request),
                    RequestKind.Get => statements.Get(request),
                    _ => throw new NotSupportedException($"No {request.Kind} on a table."),
                });
            }
            finally
            {
                peer.Return(statements);
            }
        }

        public ValueTask DisposeAsync() => peer.LeaveAsync();
    }
}

/// <summary>One connection with its statements prepared. One request at a time.</summary>
internal sealed class PreparedStatements : IAsyncDisposable
{
    private const string Upsert = """
        insert into state (agent, key, value) values ($1, $2, $3)
        on conflict (agent, key) do update set value = excluded.value, version = state.version + 1
        """;

    private const string Journal = "insert into journal (agent, key, value) values ($1, $2, $3)";

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlBatch _put;
    private readonly NpgsqlCommand _get;

    private PreparedStatements(NpgsqlConnection connection, bool keepsJournal)
    {
        _connection = connection;
        _put = new NpgsqlBatch(connection);
        // Statements of one batch are one transaction and one round trip.
        foreach (string sql in keepsJournal ? (string[])[Journal, Upsert] : [Upsert])
            _put.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { Text(), Text(), new NpgsqlParameter<ReadOnlyMemory<byte>> { NpgsqlDbType = NpgsqlDbType.Jsonb } } });
        _get = new NpgsqlCommand("select value from state where agent = $1 and key = $2", connection) { Parameters = { Text(), Text() } };
    }

    public static async Task<PreparedStatements> OpenAsync(string database, bool keepsJournal)
    {
        var statements = new PreparedStatements(await PostgresCluster.ConnectAsync(database), keepsJournal);
        await statements._put.PrepareAsync();
        await statements._get.PrepareAsync();
        return statements;
    }

    public Answer Put(Request request)
    {
        foreach (NpgsqlBatchCommand command in _put.BatchCommands)
        {
            Name(command.Parameters, request);
            ((NpgsqlParameter<ReadOnlyMemory<byte>>)command.Parameters[2]).TypedValue = request.Value;
        }
        int rows = _put.ExecuteNonQuery();
        return rows == _put.BatchCommands.Count ? new Answer(1, 0) : throw new InvalidOperationException($"{rows} rows were written, not {_put.BatchCommands.Count}.");
    }

    public Answer Get(Request request)
    {
        Name(_get.Parameters, request);
        return _get.ExecuteScalar() is string { Length: > 0 }
            ? new Answer(0, 1)
            : throw new InvalidOperationException($"{Names.Agent(request.Agent)} has no {Names.Key(request.Key)}.");
    }

    public async ValueTask DisposeAsync()
    {
        await _put.DisposeAsync();
        await _get.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static NpgsqlParameter<string> Text() => new() { NpgsqlDbType = NpgsqlDbType.Text };

    private static void Name(NpgsqlParameterCollection parameters, Request request)
    {
        ((NpgsqlParameter<string>)parameters[0]).TypedValue = Names.Agent(request.Agent);
        ((NpgsqlParameter<string>)parameters[1]).TypedValue = Names.Key(request.Key);
    }
}
