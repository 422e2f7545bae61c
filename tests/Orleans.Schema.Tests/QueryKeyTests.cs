using System.Reflection;
using System.Text.RegularExpressions;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime.MembershipService;
using Orleans.Storage;

namespace Statehouse.OrleansTables.Tests;

/// <summary>The rows of OrleansQuery against what the assemblies of the providers ask for.</summary>
public sealed partial class QueryKeyTests(OrleansDatabase database) : ProviderTest(database)
{
    [Fact]
    public async Task The_table_has_a_text_for_every_key_of_the_providers_and_no_other()
    {
        string[] clustering = StoredQueries(typeof(AdoNetClusteringTable).Assembly);
        string[] reminders = StoredQueries(typeof(AdoNetReminderTableOptions).Assembly);
        string[] storage = [.. KeyInText().Matches(AdoNetGrainStorage.DefaultInitializationQuery).Select(match => match.Groups[1].Value)];
        Assert.Equal((9, 7, 4), (clustering.Length, reminders.Length, storage.Length));

        Assert.Equal(
            clustering.Concat(reminders).Concat(storage).Order(StringComparer.Ordinal),
            (await KeysOfTheTableAsync()).Order(StringComparer.Ordinal));
    }

    /// <summary>The providers themselves take the names of these properties for the keys that must be there.</summary>
    private static string[] StoredQueries(Assembly provider) =>
        [.. Assert.Single(provider.GetTypes(), type => type.Name == "DbStoredQueries")
            .GetProperties(BindingFlags.Instance | BindingFlags.NonPublic)
            .Select(property => property.Name)];

    private async Task<List<string>> KeysOfTheTableAsync()
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(Database.ConnectionString);
        await using NpgsqlCommand command = source.CreateCommand("select QueryKey from OrleansQuery");
        await using NpgsqlDataReader rows = await command.ExecuteReaderAsync(Cancellation);
        var keys = new List<string>();
        while (await rows.ReadAsync(Cancellation))
            keys.Add(rows.GetString(0));
        return keys;
    }

    [GeneratedRegex("QueryKey = '([A-Za-z]+)'")]
    private static partial Regex KeyInText();
}
