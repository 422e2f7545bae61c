using System.Net;
using System.Text;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Damage;

/// <summary>The server's own program on damaged data: it says so in one line and ends, or answers so for the agent concerned.</summary>
public sealed class RealServerDamageTests
{
    private const string Victim = "/v1/namespaces/damage/agents/victim";
    private const string Other = "/v1/namespaces/damage/agents/other";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bit_of_a_commit_in_the_database_file_damages_one_agent()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        string marker = await WriteAsync(server);
        await KillTwiceAsync(server);
        byte[] bytes = await File.ReadAllBytesAsync(DatabaseOf(server), Cancelled);
        int at = bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(marker));
        Assert.InRange(at, 1, bytes.Length);
        bytes[at] ^= 1;
        await File.WriteAllBytesAsync(DatabaseOf(server), bytes, Cancelled);

        await server.StartAsync(Cancelled);

        await ExpectDamageOfOneAsync(server);
    }

    [Theory]
    [InlineData(3)] // the file's kind
    [InlineData(69)] // whose it is
    public async Task A_bit_of_the_database_files_header_is_refused_at_every_start_in_one_line(int at)
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        await WriteAsync(server);
        await KillTwiceAsync(server);
        await using (FileStream file = File.Open(DatabaseOf(server), FileMode.Open))
        {
            file.Position = at;
            int old = file.ReadByte();
            file.Position = at;
            file.WriteByte((byte)(old ^ 1));
        }
        byte[] damaged = await File.ReadAllBytesAsync(DatabaseOf(server), Cancelled);

        for (int start = 0; start < 2; start++)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(Cancelled));
            Assert.Equal(1, await server.Process.WaitForExitAsync(TimeSpan.FromSeconds(30), Cancelled));
            string line = Assert.Single(server.Process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.StartsWith("statehouse: ", line, StringComparison.Ordinal);
            await server.KillAsync();
        }
        // It is for an operator to look at as it is.
        Assert.Equal(damaged, await File.ReadAllBytesAsync(DatabaseOf(server), Cancelled));
    }

    [Fact]
    public async Task A_byte_of_a_row_of_the_journal_in_PostgreSQL_damages_one_agent()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        PostgresCluster cluster = await PostgresCluster.SharedAsync();
        string database = await cluster.CreateDatabaseAsync();
        await using var server = new ServerProcess { MoreFlags = ["--journal", "postgres", "--postgres", database] };
        await server.StartAsync(Cancelled);
        await WriteAsync(server);
        await server.KillAsync();
        await PostgresCluster.ExecuteAsync(
            database,
            "update statehouse.journal j set body = set_byte(body, length(body) / 2, get_byte(body, length(body) / 2) # 1) "
            + "from statehouse.stream s where s.stream_id = j.stream_id and s.name = 'victim'");

        await server.StartAsync(Cancelled);

        await ExpectDamageOfOneAsync(server);
    }

    /// <summary>One commit each of two agents.</summary>
    /// <returns>A text that stands in the value of the first one.</returns>
    private static async Task<string> WriteAsync(ServerProcess server)
    {
        string marker = $"marker-{Guid.NewGuid():n}";
        foreach ((string agent, string text) in ((string, string)[])[(Victim, marker), (Other, "sound")])
        {
            using HttpResponseMessage put = await server.Http.PutAsync(agent + "/state/k", new StringContent($"\"{text}\""), Cancelled);
            Assert.True(put.IsSuccessStatusCode);
        }
        return marker;
    }

    /// <summary>kill -9, and again once a next life has brought what the first one had written into the database itself.</summary>
    private static async Task KillTwiceAsync(ServerProcess server)
    {
        await server.KillAsync();
        await server.StartAsync(Cancelled);
        await server.KillAsync();
    }

    private static async Task ExpectDamageOfOneAsync(ServerProcess server)
    {
        foreach (string path in (string[])["/state/k", "/state", "/commits"])
        {
            (HttpStatusCode status, string body) = await AskAsync(server, HttpMethod.Get, Victim + path);
            Assert.Equal(HttpStatusCode.InternalServerError, status);
            Assert.Contains("\"SH-9001\"", body, StringComparison.Ordinal);
        }
        (HttpStatusCode written, string refusal) = await AskAsync(server, HttpMethod.Put, Victim + "/state/k");
        Assert.Equal(HttpStatusCode.InternalServerError, written);
        Assert.Contains("\"SH-9001\"", refusal, StringComparison.Ordinal);
        Assert.Contains("sound", (await AskAsync(server, HttpMethod.Get, Other + "/state/k")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server, HttpMethod.Put, Other + "/state/k")).Status);
        await server.ExpectServiceAsync();
        Assert.Equal(0, await server.Process.TerminateAsync(TimeSpan.FromSeconds(30), Cancelled));
    }

    private static async Task<(HttpStatusCode Status, string Body)> AskAsync(ServerProcess server, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path) { Content = method == HttpMethod.Put ? new StringContent("1") : null };
        using HttpResponseMessage reply = await server.Http.SendAsync(request, Cancelled);
        return (reply.StatusCode, await reply.Content.ReadAsStringAsync(Cancelled));
    }

    private static string DatabaseOf(ServerProcess server) => Path.Combine(server.DataFolder, "journal.db");
}
