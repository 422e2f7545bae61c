using System.Text;
using System.Text.Json;

namespace Statehouse.LocalCluster.Tests;

/// <summary>A cluster's life, from its first <c>up</c> to its last <c>down</c>.</summary>
public sealed class ClusterLifeTests : IDisposable
{
    private readonly TestCluster _cluster = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Up_starts_real_processes_that_outlive_it_and_prints_where_they_are()
    {
        string printed = await _cluster.OkAsync("up", "--silos", "3", "--gateways", "2");

        Status status = await _cluster.StatusAsync();
        Assert.Equal(["silo ready", "silo ready", "silo ready", "gateway ready", "gateway ready"], status.Processes);
        Assert.Equal("running", status.Postgres);
        Assert.Equal(5, status.Pids.Distinct().Count(LeadsItsSession));
        Assert.Equal(2, status.GatewayUrls.Count());
        foreach (string url in status.GatewayUrls)
            Assert.Contains(url, printed, StringComparison.Ordinal);
        Assert.Contains($"dashboard: {status.Process(1).GetProperty("dashboard")}", printed, StringComparison.Ordinal);
        Assert.Contains("try: curl -X PUT http://", printed, StringComparison.Ordinal);
        Assert.Contains(_cluster.Data, printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Env_tells_a_shell_how_to_reach_the_database()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        string lines = await _cluster.OkAsync("env");
        await using ChildProcess shell = ChildProcess.Start("/bin/sh", ["-c", $"{lines}\nprintf '%s\\n%s\\n' \"$STATEHOUSE_POSTGRES\" \"$STATEHOUSE_CLUSTER_ID\""]);
        Assert.Equal(0, await shell.WaitForExitAsync(TimeSpan.FromSeconds(30), Cancelled));
        Assert.Contains(await _cluster.ConnectionStringAsync(), shell.Output, StringComparison.Ordinal);
        Assert.Equal(2, shell.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Up_has_written_and_read_agents_through_every_gateway()
    {
        await _cluster.OkAsync("up", "--silos", "2", "--gateways", "2");

        string connection = await _cluster.ConnectionStringAsync();
        Assert.Equal(32L, await PostgresCluster.QueryAsync<long>(connection, "select count(*) from double_state where path like '%/_cluster\\_probe/agents/probe-%/state/probe'"));
        // The last gateway is asked last.
        Assert.Equal(32L, await PostgresCluster.QueryAsync<long>(connection, "select count(*) from double_state where value like '%\"gateway\":4}'"));
    }

    [Fact]
    public async Task Each_process_is_killed_drained_restarted_and_added_by_its_number()
    {
        await _cluster.OkAsync("up", "--silos", "2");
        Status before = await _cluster.StatusAsync();

        await _cluster.OkAsync("kill", "1", "-9");
        await _cluster.OkAsync("kill", "2");
        Assert.Equal(["silo gone", "silo stopped", "gateway ready"], (await _cluster.StatusAsync()).Processes);
        Assert.Equal(1, (await _cluster.RunAsync("kill", "1")).ExitCode);
        Assert.Equal(1, (await _cluster.RunAsync("kill", "9")).ExitCode);

        await _cluster.OkAsync("restart", "1");
        await _cluster.OkAsync("restart", "3");
        await _cluster.OkAsync("add");
        await _cluster.OkAsync("add", "--role", "gateway");
        Status after = await _cluster.StatusAsync();
        Assert.Equal(["silo ready", "silo stopped", "gateway ready", "silo ready", "gateway ready"], after.Processes);
        Assert.NotEqual(before.Pid(3), after.Pid(3));
        foreach (string address in (string[])["http", "grpc"])
            Assert.Equal(before.Process(3).GetProperty(address).GetString(), after.Process(3).GetProperty(address).GetString());
        Assert.Equal(before.Process(1).GetProperty("dashboard").GetString(), after.Process(1).GetProperty("dashboard").GetString());
        Assert.Equal(2, after.GatewayUrls.Count());
    }

    [Fact]
    public async Task Down_ends_everything_and_up_finds_the_data_again()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        Status up = await _cluster.StatusAsync();
        string key = up.GatewayUrls.Single() + "/v1/namespaces/default/agents/ada/state/note";
        using var http = new HttpClient();
        using var note = new StringContent("\"kept\"", Encoding.UTF8, "application/json");
        using HttpResponseMessage written = await http.PutAsync(key, note, Cancelled);
        Assert.True(written.IsSuccessStatusCode);

        await _cluster.OkAsync("down");
        Status down = await _cluster.StatusAsync();
        Assert.Equal(["silo stopped", "gateway stopped"], down.Processes);
        Assert.Equal("stopped", down.Postgres);
        Assert.DoesNotContain(up.Pids, TestCluster.Runs);
        Assert.Contains("ran", await _cluster.OkAsync("down"), StringComparison.Ordinal);

        await _cluster.OkAsync("up", "--silos", "1");
        Assert.Contains("kept", await http.GetStringAsync(key, Cancelled), StringComparison.Ordinal);

        await _cluster.OkAsync("down", "--purge");
        Assert.False(Directory.Exists(_cluster.Data));
    }

    [Fact]
    public async Task Two_folders_hold_two_clusters_side_by_side()
    {
        using var other = new TestCluster();
        await Task.WhenAll(_cluster.OkAsync("up", "--silos", "1"), other.OkAsync("up", "--silos", "1"));

        await _cluster.OkAsync("down");

        Assert.Equal(["silo ready", "gateway ready"], (await other.StatusAsync()).Processes);
        Assert.Equal("running", (await other.StatusAsync()).Postgres);
        Assert.Equal(["silo stopped", "gateway stopped"], (await _cluster.StatusAsync()).Processes);
    }

    [Fact]
    public async Task Up_on_a_cluster_that_runs_is_refused_and_changes_nothing()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        Status before = await _cluster.StatusAsync();

        CommandResult again = await _cluster.RunAsync("up", "--silos", "2");

        Assert.Equal((1, ""), (again.ExitCode, again.Out));
        Assert.Contains("is up already", again.Error, StringComparison.Ordinal);
        Assert.Equal(before.Pids, (await _cluster.StatusAsync()).Pids);
    }

    [Fact]
    public async Task The_password_is_for_the_owners_eyes_and_no_setting_of_the_caller_reaches_a_process()
    {
        await _cluster.OkAsync("up", "--silos", "1");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_cluster.StateFile));
        using JsonDocument state = JsonDocument.Parse(await File.ReadAllTextAsync(_cluster.StateFile, Cancelled));
        string password = state.RootElement.GetProperty("postgres").GetProperty("private").GetProperty("password").GetString()!;
        foreach (int pid in (await _cluster.StatusAsync()).Pids)
            Assert.DoesNotContain(password, await File.ReadAllTextAsync($"/proc/{pid}/cmdline", Cancelled), StringComparison.Ordinal);
        Assert.StartsWith("settings: STATEHOUSE_POSTGRES\n", await File.ReadAllTextAsync(Path.Combine(_cluster.Data, "process-1", "stderr.txt"), Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_was_given_is_used_and_never_deleted()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        PostgresCluster server = await PostgresCluster.SharedAsync();
        string database = await server.CreateDatabaseAsync();
        await _cluster.OkAsync("up", "--silos", "1", "--postgres", database);
        Assert.Equal("given", (await _cluster.StatusAsync()).Postgres);

        // It is remembered: up without it is the same cluster.
        await _cluster.OkAsync("down");
        await _cluster.OkAsync("up", "--silos", "1");
        await _cluster.OkAsync("down", "--purge");

        Assert.Equal(16L, await PostgresCluster.QueryAsync<long>(database, "select count(*) from double_state"));
    }

    [Fact]
    public async Task The_private_database_is_durable_and_open_to_loopback_with_a_password_only()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        string connection = await _cluster.ConnectionStringAsync();

        foreach (string setting in (string[])["fsync", "full_page_writes", "synchronous_commit"])
            Assert.Equal("on", await PostgresCluster.QueryAsync<string>(connection, $"select current_setting('{setting}')"));
        Assert.Equal("127.0.0.1", await PostgresCluster.QueryAsync<string>(connection, "select current_setting('listen_addresses')"));
        Npgsql.PostgresException refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(
            () => PostgresCluster.QueryAsync<int>(System.Text.RegularExpressions.Regex.Replace(connection, "Password=[^;]*", "Password=guess"), "select 1"));
        Assert.Equal("28P01", refused.SqlState);
    }

    /// <summary>It has a session of its own, and this test or its commands are not its parent.</summary>
    private static bool LeadsItsSession(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[3] == $"{pid}" && fields[1] != $"{Environment.ProcessId}";
    }
}
