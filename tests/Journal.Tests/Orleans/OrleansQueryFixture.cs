using System.Data;
using Npgsql;
using Statehouse.Journal.Postgres;

namespace Statehouse.Journal.Tests;

/// <summary>A database with the Orleans tables, and the queries asked as Orleans' AdoNet providers ask them.</summary>
public abstract class OrleansQueryFixture : PostgresFixture
{
    private Dictionary<string, string> _queries = [];

    /// <summary>A time as Orleans passes it: UTC, finer than a microsecond.</summary>
    protected static DateTime Noon { get; } = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc).AddTicks(1_234_567);

    protected IReadOnlyCollection<string> Keys => _queries.Keys;

    private string OrleansDatabase => OrleansSchema.ConnectionString(Database);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await OrleansSchema.ApplyAsync(Database, OperatorLog, Cancellation);
        await using NpgsqlConnection connection = await Testing.PostgresCluster.ConnectAsync(OrleansDatabase);
        // The one text that is not ours: the providers have it built in.
        await using var command = new NpgsqlCommand("SELECT QueryKey, QueryText FROM OrleansQuery", connection);
        await using NpgsqlDataReader rows = await command.ExecuteReaderAsync(Cancellation);
        while (await rows.ReadAsync(Cancellation))
            _queries.Add(rows.GetString(0), rows.GetString(1));
    }

    /// <summary>Runs the text that stands under a key.</summary>
    /// <param name="key">As Orleans names it.</param>
    /// <param name="parameters">As Orleans passes them, also where the text does not use one.</param>
    /// <returns>The rows, as values by the names that Orleans reads them by.</returns>
    protected async Task<List<Dictionary<string, object?>>> AskAsync(string key, params (string Name, object? Value)[] parameters)
    {
        await using NpgsqlConnection connection = await Testing.PostgresCluster.ConnectAsync(OrleansDatabase);
        await using NpgsqlCommand command = Command(connection, key, parameters);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<Dictionary<string, object?>>();
        while (await reader.ReadAsync(Cancellation))
        {
            rows.Add(Enumerable.Range(0, reader.FieldCount).ToDictionary(
                reader.GetName, i => reader.IsDBNull(i) ? null : reader.GetValue(i), StringComparer.OrdinalIgnoreCase));
        }
        return rows;
    }

    /// <summary>Asks a query whose answer Orleans takes as one boolean: one row of one column.</summary>
    protected async Task<bool> AskWhetherAsync(string key, params (string Name, object? Value)[] parameters)
    {
        Dictionary<string, object?> row = Assert.Single(await AskAsync(key, parameters));
        return Convert.ToBoolean(Assert.Single(row).Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    protected NpgsqlCommand Command(NpgsqlConnection connection, string key, params (string Name, object? Value)[] parameters)
    {
        var command = new NpgsqlCommand(_queries[key], connection);
        foreach ((string name, object? value) in parameters)
            command.Parameters.Add(new NpgsqlParameter { ParameterName = name, DbType = TypeOf(name, value), Value = value ?? DBNull.Value });
        return command;
    }

    /// <summary>Orleans passes each value as the type of its C# type; three may be null.</summary>
    private static DbType TypeOf(string name, object? value) => value switch
    {
        int => DbType.Int32,
        long => DbType.Int64,
        string => DbType.String,
        DateTime => DbType.DateTime,
        byte[] => DbType.Binary,
        null when name is "SuspectTimes" or "GrainIdExtensionString" => DbType.String,
        null when name is "GrainStateVersion" => DbType.Int32,
        _ => throw new ArgumentOutOfRangeException(nameof(value), $"Orleans passes no {value?.GetType().Name ?? "null"} as {name}."),
    };

    /// <summary>What of a time the tables keep: whole microseconds.</summary>
    protected static DateTime Kept(DateTime time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));
}
