using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// The connections of a store: some kept for appends, so that readers can never starve them, and the rest.
/// Every connection has run session.sql before it is first used.
/// </summary>
internal sealed class PostgresSessions : IAsyncDisposable
{
    /// <summary>How much longer the client waits than the server: so it normally learns that the server gave up.</summary>
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(2);

    private readonly NpgsqlDataSource _appends;
    private readonly NpgsqlDataSource _others;

    /// <exception cref="JournalOpenException">The connection string is malformed.</exception>
    public PostgresSessions(PostgresJournalOptions options)
    {
        _appends = CreateSource(options, options.WriterCount);
        _others = CreateSource(options, options.ReaderConnectionsMax);
    }

    /// <exception cref="JournalUnavailableException">SH-2001. Nothing was sent.</exception>
    public ValueTask<NpgsqlConnection> OpenForAppendAsync(CancellationToken cancellationToken) =>
        OpenAsync(_appends, cancellationToken);

    /// <exception cref="JournalUnavailableException">SH-2001. Nothing was sent.</exception>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        OpenAsync(_others, cancellationToken);

    /// <summary>A connection whose exceptions are still PostgreSQL's own: for opening the store, which tells more of them apart.</summary>
    public ValueTask<NpgsqlConnection> OpenRawAsync(CancellationToken cancellationToken) =>
        _others.OpenConnectionAsync(cancellationToken);

    /// <summary>Runs a call that may be repeated without harm, and maps what goes wrong.</summary>
    public async Task<T> CallAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await call(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresErrors.IsOurs(error))
        {
            ForgetBroken(error);
            throw PostgresErrors.Call(error);
        }
    }

    /// <summary>
    /// After a connection broke, the idle ones are probably dead too: dropping them now lets the next call succeed
    /// as soon as the server is back, instead of meeting one dead connection after the other.
    /// </summary>
    public void ForgetBroken(Exception error)
    {
        if (!PostgresErrors.BrokeTheConnection(error))
            return;
        _appends.Clear();
        _others.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _appends.DisposeAsync().ConfigureAwait(false);
        await _others.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<NpgsqlConnection> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        try
        {
            return await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresErrors.IsOurs(error))
        {
            ForgetBroken(error);
            throw PostgresErrors.Connecting(error);
        }
    }

    private static NpgsqlDataSource CreateSource(PostgresJournalOptions options, int connectionsMax)
    {
        var builder = new NpgsqlDataSourceBuilder(Configure(options, connectionsMax).ConnectionString);
        string statementTimeout = ((long)options.CommandTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        builder.UsePhysicalConnectionInitializer(
            connection =>
            {
                using NpgsqlCommand command = SessionCommand(connection, statementTimeout);
                command.ExecuteNonQuery();
            },
            async connection =>
            {
                await using NpgsqlCommand command = SessionCommand(connection, statementTimeout);
                await command.ExecuteNonQueryAsync().ConfigureAwait(false);
            });
        return builder.Build();
    }

    private static NpgsqlCommand SessionCommand(NpgsqlConnection connection, string statementTimeout) =>
        new(SqlText.Session, connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = statementTimeout, NpgsqlDbType = NpgsqlDbType.Text } },
        };

    /// <exception cref="JournalOpenException">The connection string is malformed.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException error)
        {
            // Not the inner exception: its text may repeat the string, and with it a password.
            throw new JournalOpenException($"The PostgreSQL connection string is malformed ({error.GetType().Name}).");
        }
    }

    private static NpgsqlConnectionStringBuilder Configure(PostgresJournalOptions options, int connectionsMax)
    {
        NpgsqlConnectionStringBuilder settings = Parse(options.ConnectionString);
        settings.ApplicationName ??= "statehouse";
        settings.Pooling = true;
        settings.Multiplexing = false;
        settings.Enlist = false;
        settings.NoResetOnClose = true; // session.sql's settings and the prepared appends must survive the pool
        settings.MaxAutoPrepare = 0; // what is not prepared by name relies on being planned with its values (list_agents.sql)
        settings.IncludeErrorDetail = false; // details quote values
        settings.MinPoolSize = 0;
        settings.MaxPoolSize = connectionsMax;
        settings.Timeout = (int)Math.Ceiling(options.ConnectTimeout.TotalSeconds);
        settings.CommandTimeout = (int)Math.Ceiling((options.CommandTimeout + ClientPatience).TotalSeconds);
        return settings;
    }
}
