using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Statehouse.LocalCluster.Tests;

/// <summary>What goes wrong with processes, commands and folders, and what is left then.</summary>
public sealed class ClusterFaultTests : IDisposable
{
    private readonly TestCluster _cluster = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task A_silo_that_crashes_during_up_is_named_with_its_last_words_and_all_is_ended()
    {
        _cluster.Misbehaviour = $"process-2={SiloProcessDouble.Crash}";

        CommandResult up = await _cluster.RunAsync("up", "--silos", "2");

        Assert.Equal((1, ""), (up.ExitCode, up.Out));
        Assert.Contains("silo 2", up.Error, StringComparison.Ordinal);
        Assert.Contains("exit code 1", up.Error, StringComparison.Ordinal);
        Assert.Contains(SiloProcessDouble.LastWords, up.Error, StringComparison.Ordinal);
        Status status = await _cluster.StatusAsync();
        Assert.Equal(["silo stopped", "silo gone", "gateway stopped"], status.Processes);
        Assert.Equal("stopped", status.Postgres);

        _cluster.Misbehaviour = "";
        await _cluster.OkAsync("up", "--silos", "2");
    }

    [Fact]
    public async Task A_silo_that_is_never_ready_ends_up_at_the_bound_and_is_named()
    {
        _cluster.Misbehaviour = $"process-1={SiloProcessDouble.NeverReady}";

        CommandResult up = await _cluster.RunAsync("up", "--silos", "1", "--timeout", "30");

        Assert.Equal(1, up.ExitCode);
        Assert.Contains("silo 1", up.Error, StringComparison.Ordinal);
        Assert.Contains("has not said that it is ready", up.Error, StringComparison.Ordinal);
        Assert.Empty((await _cluster.StatusAsync()).Pids);
    }

    [Fact]
    public async Task Agents_that_do_not_answer_through_a_gateway_end_up_with_their_last_answer()
    {
        _cluster.Misbehaviour = $"process-3={SiloProcessDouble.NoAgents}";

        CommandResult up = await _cluster.RunAsync("up", "--silos", "1", "--gateways", "2", "--timeout", "30");

        Assert.Equal(1, up.ExitCode);
        Assert.Contains("through gateway 3", up.Error, StringComparison.Ordinal);
        Assert.Contains("PUT: HTTP 503", up.Error, StringComparison.Ordinal);
        Assert.Empty((await _cluster.StatusAsync()).Pids);
    }

    [Fact]
    public async Task A_process_that_cannot_be_added_is_ended_and_the_others_run_on()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        _cluster.Misbehaviour = $"process-3={SiloProcessDouble.NeverReady}";

        CommandResult add = await _cluster.RunAsync("add", "--timeout", "5");

        Assert.Equal(1, add.ExitCode);
        Assert.Contains("silo 3", add.Error, StringComparison.Ordinal);
        Assert.Equal(["silo ready", "gateway ready", "silo stopped"], (await _cluster.StatusAsync()).Processes);
    }

    [Fact]
    public async Task A_process_id_that_belongs_to_somebody_else_now_is_never_signalled()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        await _cluster.OkAsync("kill", "1", "-9");
        await _cluster.OkAsync("kill", "2", "-9");
        await using ChildProcess bystander = ChildProcess.Start("sleep", ["600"]);
        await EditStateAsync(state => state["processes"]![0]!["identity"]!["pid"] = bystander.Id);

        Assert.Equal("silo gone", (await _cluster.StatusAsync()).Processes.First());
        Assert.Equal(1, (await _cluster.RunAsync("kill", "1", "-9")).ExitCode);
        await _cluster.OkAsync("restart", "1");
        await EditStateAsync(state => state["processes"]![1]!["identity"]!["pid"] = bystander.Id);
        await _cluster.OkAsync("down");

        Assert.False(bystander.HasExited);
    }

    [Fact]
    public async Task A_database_process_id_that_belongs_to_somebody_else_now_is_never_signalled()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        string data = Path.Combine(_cluster.Data, "postgres", "data");
        string pidFile = Path.Combine(data, "postmaster.pid");
        string[] lines = await File.ReadAllLinesAsync(pidFile, Cancelled);
        Kill(int.Parse(lines[0]));
        await _cluster.WaitForStatusAsync(status => status.Postgres == "gone", "PostgreSQL is gone");
        // Of the user that PostgreSQL runs as: it would take the process for another server.
        string[] asItsUser = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : ["env"];
        await using ChildProcess bystander = ChildProcess.Start(asItsUser[0], [.. asItsUser[1..], "sleep", "600"]);
        lines[0] = $"{bystander.Id}";
        await File.WriteAllLinesAsync(pidFile, lines, Cancelled);

        Assert.Equal("gone", (await _cluster.StatusAsync()).Postgres);
        await _cluster.OkAsync("down");
        await _cluster.OkAsync("up", "--silos", "1");

        Assert.False(bystander.HasExited);
    }

    [Fact]
    public async Task Killed_processes_and_a_killed_database_come_back_with_their_data()
    {
        await _cluster.OkAsync("up", "--silos", "1");
        Status before = await _cluster.StatusAsync();
        foreach (int pid in before.Pids.Append(before.Json.GetProperty("postgres").GetProperty("pid").GetInt32()))
            Kill(pid);
        Status gone = await _cluster.WaitForStatusAsync(status => !status.Pids.Any() && status.Postgres == "gone", "all are gone");
        Assert.Equal(["silo gone", "gateway gone"], gone.Processes);
        Assert.Equal(1, (await _cluster.RunAsync("add")).ExitCode);

        await _cluster.OkAsync("up", "--silos", "1");

        Assert.Equal(before.GatewayUrls, (await _cluster.StatusAsync()).GatewayUrls);
        Assert.Equal(16L, await PostgresCluster.QueryAsync<long>(await _cluster.ConnectionStringAsync(), "select count(*) from double_state"));
    }

    [Fact]
    public async Task Commands_on_one_folder_take_turns_and_Ctrl_C_ends_what_up_has_started()
    {
        _cluster.Misbehaviour = $"process-1={SiloProcessDouble.NeverReady}";
        Process up = _cluster.Start("up", "--silos", "1");
        Status starting = await _cluster.WaitForStatusAsync(status => status.Pids.Any(), "the silo runs");
        Assert.Equal(["silo starting", "gateway stopped"], starting.Processes);

        foreach (string[] command in (string[][])[["up"], ["down"], ["kill", "1"]])
        {
            CommandResult second = await _cluster.RunAsync(command);
            Assert.Equal(1, second.ExitCode);
            Assert.Contains($"process {up.Id}", Assert.Single(second.ErrorLines), StringComparison.Ordinal);
        }
        await using ChildProcess interrupt = ChildProcess.Start("kill", ["-INT", $"{up.Id}"]);
        CommandResult interrupted = await TestCluster.ResultAsync(up);

        Assert.Equal(130, interrupted.ExitCode);
        Status ended = await _cluster.StatusAsync();
        Assert.Equal(["silo stopped", "gateway stopped"], ended.Processes);
        Assert.Equal("stopped", ended.Postgres);
    }

    [Fact]
    public async Task Up_killed_in_the_middle_leaves_nothing_that_down_does_not_find()
    {
        _cluster.Misbehaviour = $"process-1={SiloProcessDouble.NeverReady}";
        Process up = _cluster.Start("up", "--silos", "2");
        Status starting = await _cluster.WaitForStatusAsync(status => status.Pids.Count() == 2, "both silos run");
        up.Kill();
        await up.WaitForExitAsync(Cancelled);
        int server = starting.Json.GetProperty("postgres").GetProperty("pid").GetInt32();

        await _cluster.OkAsync("down");

        Assert.DoesNotContain(starting.Pids.Append(server), TestCluster.Runs);
    }

    [Fact]
    public async Task A_process_that_does_not_heed_SIGTERM_is_killed_by_down()
    {
        _cluster.Misbehaviour = $"process-1={SiloProcessDouble.IgnoreSigterm}";
        await _cluster.OkAsync("up", "--silos", "1");

        CommandResult down = await _cluster.RunAsync("down");

        Assert.Equal(0, down.ExitCode);
        Assert.Contains("silo 1", down.Error, StringComparison.Ordinal);
        Assert.Equal(["silo gone", "gateway stopped"], (await _cluster.StatusAsync()).Processes);
    }

    [Fact]
    public async Task A_folder_of_something_else_is_neither_used_nor_deleted()
    {
        Directory.CreateDirectory(_cluster.Data);
        string foreign = Path.Combine(_cluster.Data, "journal.db");
        await File.WriteAllTextAsync(foreign, "precious", Cancelled);
        Assert.Equal(1, (await _cluster.RunAsync("up")).ExitCode);
        Assert.Equal(1, (await _cluster.RunAsync("down", "--purge")).ExitCode);
        Assert.Equal([foreign], Directory.GetFileSystemEntries(_cluster.Data));

        File.Delete(foreign);
        await _cluster.OkAsync("up", "--silos", "1");
        await File.WriteAllTextAsync(foreign, "precious", Cancelled);
        await _cluster.OkAsync("down", "--purge");
        Assert.Equal([foreign], Directory.GetFileSystemEntries(_cluster.Data));
    }

    [Fact]
    public async Task Root_runs_the_database_elsewhere_where_its_user_cannot_enter_the_folder()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root runs PostgreSQL as another user");
        using var closed = new TestCluster(isOpen: false);

        await closed.OkAsync("up", "--silos", "1");

        JsonNode state = JsonNode.Parse(await File.ReadAllTextAsync(closed.StateFile, Cancelled))!;
        string folder = (string)state["postgres"]!["private"]!["folder"]!;
        Assert.StartsWith("/var/lib/statehouse-clusters/", folder, StringComparison.Ordinal);
        await closed.OkAsync("down", "--purge");
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("env")]
    [InlineData("kill 1")]
    [InlineData("add")]
    [InlineData("restart 1")]
    [InlineData("down")]
    public async Task Without_a_cluster_there_is_nothing_to_do_and_nothing_is_made(string command)
    {
        CommandResult result = await _cluster.RunAsync(command.Split(' '));
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Contains("there is no cluster", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_cluster.Data));
    }

    [Fact]
    public async Task Without_an_Orleans_runtime_a_cluster_that_is_there_can_still_be_looked_at_and_ended()
    {
        string[] missing = ["--missing-packages", "Microsoft.Orleans.Runtime"];
        CommandResult none = await _cluster.RunAsync(["status", .. missing]);
        Assert.Equal((3, ""), (none.ExitCode, none.Out));
        Assert.Contains("Microsoft.Orleans.Runtime", Assert.Single(none.ErrorLines), StringComparison.Ordinal);

        await _cluster.OkAsync("up", "--silos", "1");
        await _cluster.OkAsync(["status", .. missing]);
        await _cluster.OkAsync(["down", .. missing]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("up --nonsense")]
    [InlineData("up --silos 0")]
    [InlineData("up --silos many")]
    [InlineData("up --gateways 17")]
    [InlineData("add --role dashboard")]
    [InlineData("kill")]
    [InlineData("kill one")]
    public async Task Wrong_usage_ends_with_2_and_one_line(string command)
    {
        CommandResult result = await _cluster.RunAsync(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.StartsWith("statehouse: ", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    private async Task EditStateAsync(Action<JsonNode> edit)
    {
        JsonNode state = JsonNode.Parse(await File.ReadAllTextAsync(_cluster.StateFile, Cancelled))!;
        edit(state);
        await File.WriteAllTextAsync(_cluster.StateFile, state.ToJsonString(), Cancelled);
    }

    private static void Kill(int pid)
    {
        using Process process = Process.GetProcessById(pid);
        process.Kill();
    }
}
