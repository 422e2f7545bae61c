using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// The tables that Orleans' AdoNet providers keep the cluster's membership, grain storage and reminders in, and the
/// texts of the queries that those providers run. They stand in a PostgreSQL schema of their own.
/// </summary>
/// <remarks>Why so, and what keeps clusters apart: docs/decisions/0006-orleans-schema.md.</remarks>
public static class OrleansSchema
{
    /// <summary>The PostgreSQL schema of the tables. The providers look for OrleansQuery without naming it.</summary>
    public static string Name => MigrationSet.Orleans.Schema;

    /// <summary>
    /// Creates the tables, or brings them to this version. Does nothing where nothing is missing; safe while other
    /// processes do the same or serve.
    /// </summary>
    /// <param name="connectionString">Npgsql's keywords; the role must be allowed to create schemas where ours is missing.</param>
    /// <param name="log">Told which migrations were applied.</param>
    /// <param name="cancellationToken">Leaves the database as it was.</param>
    /// <exception cref="JournalOpenException">
    /// The connection string, server or role does not do, or the tables are newer than this version or were edited.
    /// Nothing was changed.
    /// </exception>
    /// <exception cref="JournalUnavailableException">SH-2001. The server cannot be reached, or stopped on the way; repeat the call.</exception>
    public static Task ApplyAsync(string connectionString, IOperatorLog log, CancellationToken cancellationToken) =>
        OnServerAsync(
            connectionString,
            connection => new PostgresMigrator(connection, MigrationSet.Orleans).ApplyAsync(log, cancellationToken),
            cancellationToken);

    /// <summary>Checks that the tables are there as this version knows them, and changes nothing.</summary>
    /// <param name="connectionString">As for <see cref="ApplyAsync"/>; the role needs to read the table of migrations.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <exception cref="JournalOpenException">They are missing, older, newer or edited. The message is one line and says what to do.</exception>
    /// <exception cref="JournalUnavailableException">SH-2001. The server cannot be reached.</exception>
    public static Task VerifyAsync(string connectionString, CancellationToken cancellationToken) =>
        OnServerAsync(
            connectionString,
            async connection => RequireAll(
                await new PostgresMigrator(connection, MigrationSet.Orleans).CountAppliedAsync(cancellationToken).ConfigureAwait(false)),
            cancellationToken);

    /// <summary>What Orleans' providers must be given: the same connection string with the schema as its search path.</summary>
    /// <param name="connectionString">Npgsql's keywords. A search path that it has is replaced: every text of ours names its schemas.</param>
    /// <exception cref="JournalOpenException">The connection string is malformed.</exception>
    public static string ConnectionString(string connectionString)
    {
        NpgsqlConnectionStringBuilder settings = PostgresSessions.Parse(connectionString);
        settings.SearchPath = Name;
        settings.ApplicationName ??= "statehouse-orleans";
        return settings.ConnectionString;
    }

    private static void RequireAll(int applied)
    {
        int known = MigrationSet.Orleans.Migrations.Count;
        if (applied == 0)
            throw new JournalOpenException("The Orleans tables are missing: start once with --migrate.");
        if (applied < known)
            throw new JournalOpenException($"The Orleans tables are at migration {applied} and this version of Statehouse needs {known}: start once with --migrate.");
    }

    private static async Task OnServerAsync(
        string connectionString, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        var sessions = new PostgresSessions(new PostgresJournalOptions { ConnectionString = connectionString });
        await using (sessions.ConfigureAwait(false))
            await PostgresOpening.OnServerAsync(sessions, "hold the Orleans tables", work, cancellationToken).ConfigureAwait(false);
    }
}
