using Statehouse.Faults.History;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Tests.Injection;

/// <summary>Does each fault do what it says, and does it end? On one server with SQLite.</summary>
public sealed class ServerFaultTests : IAsyncLifetime
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(700);

    private RunningSystem _running = null!;

    private ManagedServer Server => _running.System.Servers[0];

    public async ValueTask InitializeAsync()
    {
        _running = await RunningSystem.StartAsync("sqlite");
        Assert.Equal(Outcome.Ok, (await _running.WriteAsync()).Outcome);
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
            await _running.DisposeAsync();
    }

    [Fact]
    public async Task A_stopped_server_does_not_answer_and_then_does()
    {
        IFault fault = _running.Fault("stop-server");
        await _running.InjectAsync(fault);
        CallResult silent = await _running.WriteAsync(Short);
        Assert.Equal((Outcome.Unknown, "timeout"), (silent.Outcome, silent.Code));
        await fault.HealAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Outcome.Ok, (await _running.WriteAsync()).Outcome);
        Assert.Equal(1, Server.Starts);
    }

    [Fact]
    public async Task A_killed_server_is_gone_until_it_is_healed_and_another_process_then()
    {
        IFault fault = _running.Fault("kill-server");
        int before = Server.ProcessId;
        Assert.Contains($"{before}", await _running.InjectAsync(fault), StringComparison.Ordinal);
        Assert.False(Server.IsRunning);
        Assert.NotEqual(Outcome.Ok, (await _running.WriteAsync(Short)).Outcome);
        await fault.HealAsync(TestContext.Current.CancellationToken);
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.NotEqual(before, Server.ProcessId);
        Assert.Equal([(137, EndKind.Fault)], Server.Ends.Select(end => (end.ExitCode, end.Kind)));
    }

    [Fact]
    public async Task A_drained_server_ends_with_0_and_is_started_again()
    {
        IFault fault = _running.Fault("drain-server");
        await _running.InjectAsync(fault);
        await fault.HealAsync(TestContext.Current.CancellationToken);
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.Equal([(0, EndKind.Fault)], Server.Ends.Select(end => (end.ExitCode, end.Kind)));
    }

    [Fact]
    public async Task A_server_with_a_crash_point_dies_there_and_is_started_without()
    {
        // Which point and pass comes with the seed: this one wants a pass that a few writes reach.
        var fault = new CrashAtPoint(_running.System, [Journal.CrashPoint.AfterCommitBeforeReply]);
        await _running.InjectAsync(fault);
        await RunningSystem.UntilAsync(
            "the server died at its crash point",
            () => _running.WriteAsync(Short),
            _ => Server.Ends.Any(end => end.Kind == EndKind.CrashPoint));
        await fault.HealAsync(TestContext.Current.CancellationToken);
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.False(Server.IsArmed);
    }

    [Fact]
    public async Task A_server_that_died_by_itself_is_started_again_and_told_of()
    {
        using (var victim = System.Diagnostics.Process.GetProcessById(Server.ProcessId))
            victim.Kill();
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.Single(_running.System.Breakdowns);
        Assert.Contains("137", _running.System.Breakdowns[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_jump_of_the_clock_moves_the_time_of_commits_and_the_true_time_comes_back_behind_it()
    {
        IFault fault = _running.Fault("clock-jump");
        DateTimeOffset before = await _running.CommitTimeAsync();
        for (int seed = 1; !(await _running.InjectAsync(fault, seed)).Contains("+3600", StringComparison.Ordinal); seed++)
        {
            // Until it is an hour forward.
        }
        DateTimeOffset jumped = await RunningSystem.UntilAsync("a commit's time has jumped", _running.CommitTimeAsync, time => time > before.AddMinutes(50));
        await fault.HealAsync(TestContext.Current.CancellationToken);
        // An agent's time does not go back, so the next commit is not before the jumped one.
        Assert.True(await _running.CommitTimeAsync() >= jumped);
    }

    [Fact]
    public async Task A_process_with_a_faked_time_has_it_and_gets_the_true_one_back()
    {
        IFault fault = _running.Fault("faketime");
        string what = await _running.InjectAsync(fault);
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.Contains("LD_PRELOAD", await File.ReadAllTextAsync($"/proc/{Server.ProcessId}/environ", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await fault.HealAsync(TestContext.Current.CancellationToken);
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.DoesNotContain("LD_PRELOAD", await File.ReadAllTextAsync($"/proc/{Server.ProcessId}/environ", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(3, Server.Starts);
        Assert.Contains("start it with the time", what, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_full_disk_no_write_is_acknowledged_until_there_is_room()
    {
        IFault fault = _running.Fault("disk-full");
        await _running.InjectAsync(fault);
        // SQLite's write-ahead file may have a little room left.
        CallResult refused = await RunningSystem.UntilAsync("a write fails", () => _running.WriteAsync(), result => result.Outcome != Outcome.Ok);
        Assert.StartsWith("SH-2", refused.Code, StringComparison.Ordinal);
        await fault.HealAsync(TestContext.Current.CancellationToken);
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.Empty(_running.System.Breakdowns);
    }

    [Theory]
    [InlineData("slow-network")]
    [InlineData("cut-network")]
    public async Task A_bad_network_ends_with_its_healing(string name)
    {
        IFault fault = _running.Fault(name);
        for (int seed = 1; seed <= 12; seed++)
        {
            await _running.InjectAsync(fault, seed);
            await _running.WriteAsync(TimeSpan.FromMilliseconds(50));
            await fault.HealAsync(TestContext.Current.CancellationToken);
            Assert.Equal(Outcome.Ok, (await _running.WriteAsync()).Outcome);
        }
    }

    [Fact]
    public async Task Healing_the_system_ends_every_fault_and_a_restart_keeps_what_was_acknowledged()
    {
        await _running.InjectAsync(_running.Fault("kill-server"));
        await _running.InjectAsync(_running.Fault("cut-network"));
        await _running.System.HealAsync(TestContext.Current.CancellationToken);
        CallResult before = await _running.WriteAsync();
        Assert.Equal(Outcome.Ok, before.Outcome);
        await _running.System.RestartAsync(TestContext.Current.CancellationToken);
        CallResult after = await _running.WriteAsync();
        Assert.Equal(
            ((CommitAnswer)before.Answer!).Receipts[0].Version + 1, ((CommitAnswer)after.Answer!).Receipts[0].Version);
    }
}
