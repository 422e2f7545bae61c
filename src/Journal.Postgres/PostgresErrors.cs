using System.Net.Sockets;
using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// The one place that knows what PostgreSQL's and Npgsql's failures mean for us. Three moments differ: nothing was
/// sent yet; a call that may be repeated failed; an append was in flight.
/// </summary>
/// <remarks>
/// An ERROR in reply to an append rolled its transaction back for certain. Anything else that ends one in flight
/// (FATAL, a broken connection, a timeout of this side) may have come after the commit.
/// Source: https://www.postgresql.org/docs/15/errcodes-appendix.html
/// </remarks>
internal static class PostgresErrors
{
    /// <summary>What this class maps; everything else, cancellation above all, passes through.</summary>
    /// <remarks>Npgsql says "disposed" of a connection that breaks while a command on it begins.</remarks>
    public static bool IsOurs(Exception error) =>
        error is NpgsqlException or IOException or SocketException or TimeoutException or ObjectDisposedException;

    /// <summary>A deadlock or a serialization failure: rolled back, and likely to go in when repeated.</summary>
    public static bool IsTransient(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>The data itself was refused (classes 22 and 23): repeating it will never help.</summary>
    public static bool IsRefusedData(Exception error) =>
        error is PostgresException postgres && Class(postgres) is "22" or "23" || IsUnencodable(error);

    public static bool BrokeTheConnection(Exception error) =>
        error is not PostgresException postgres || !IsStatementError(postgres);

    public static StatehouseException Connecting(Exception error) => error is PostgresException postgres
        ? Statement(postgres)
        : new JournalUnavailableException($"PostgreSQL cannot be reached: {Reason(error)} Nothing was written.", error);

    public static StatehouseException Call(Exception error) => error switch
    {
        PostgresException postgres => Statement(postgres),
        _ => new JournalUnavailableException($"The connection to PostgreSQL failed: {Reason(error)} Repeating the call is safe.", error),
    };

    public static StatehouseException AppendInFlight(Exception error) => error switch
    {
        PostgresException postgres when IsStatementError(postgres) => Statement(postgres),
        OperationCanceledException => new JournalOutcomeUnknownException(
            "Waiting for PostgreSQL's answer to an append was given up; the commits may be there or not.", error),
        _ => new JournalOutcomeUnknownException(
            $"PostgreSQL's answer to an append was lost: {Reason(error)} The commits may be there or not.", error),
    };

    public static InvariantBrokenException RefusedData(Exception error) => new(
        "An append holds data that should have been refused before, or that contradicts what the database holds: "
        + (error is PostgresException postgres ? Said(postgres) : Reason(error)) + " Nothing of it was written.",
        error);

    /// <summary>What the server said. Nothing of the statement was kept.</summary>
    private static StatehouseException Statement(PostgresException error) => Class(error) switch
    {
        "22" or "23" => RefusedData(error),
        "XX" when error.SqlState is PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted =>
            new InvariantBrokenException($"PostgreSQL found its own data damaged: {Said(error)}", error),
        "42" or "3F" => new InvariantBrokenException($"The schema statehouse is not what it should be: {Said(error)}", error),
        "53" => Unavailable("has no room", error),
        "25" => Unavailable("only lets read: it is a standby, or set to default_transaction_read_only", error),
        "28" => Unavailable("refuses this user", error),
        "57" when error.SqlState == PostgresErrorCodes.QueryCanceled => Unavailable("stopped the call after the command timeout, or when asked to", error),
        "57" => Unavailable("is starting, stopping or failing over", error),
        "40" => Unavailable("rolled the call back because of others", error),
        _ => Unavailable("failed", error),
    };

    private static JournalUnavailableException Unavailable(string what, PostgresException error) =>
        new($"PostgreSQL {what}: {Said(error)} Nothing was written.", error);

    private static bool IsStatementError(PostgresException error) => error.InvariantSeverity == "ERROR";

    /// <summary>Text that UTF-8 cannot express never leaves this process.</summary>
    private static bool IsUnencodable(Exception error) =>
        error is System.Text.EncoderFallbackException || error.InnerException is System.Text.EncoderFallbackException;

    private static string Class(PostgresException error) => error.SqlState[..2];

    private static string Said(PostgresException error) => $"{error.MessageText} (SQLSTATE {error.SqlState}).";

    private static string Reason(Exception error)
    {
        string message = error.InnerException is { } inner ? $"{error.Message}: {inner.Message}" : error.Message;
        return message.EndsWith('.') ? message : message + ".";
    }
}
