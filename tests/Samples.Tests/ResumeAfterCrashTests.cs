using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Statehouse.Testing;
using Xunit;

namespace Statehouse.Samples.Tests;

/// <summary>The sample and the server as real processes, both killed with <c>kill -9</c> at random moments.</summary>
public sealed partial class ResumeAfterCrashTests(ITestOutputHelper output)
{
    private const string Run = "run-1";
    private const int Steps = 20;

    /// <summary>Then the run is left in peace, so that the test ends on any machine.</summary>
    private const int KillsMax = 40;

    /// <summary>Fewer would show nothing: 20 steps think for 2 s in all, and none lives beyond 350 ms without a kill.</summary>
    private const int KillsMin = 5;
    private const int ThinkMs = 100;
    private const int LifeMsMin = 20;
    private const int LifeMsMax = 350;

    /// <summary>128 and the signal's number.</summary>
    private const int KilledExitCode = 128 + 9;

    private static readonly TimeSpan RunBound = TimeSpan.FromMinutes(5);

    private readonly Random _random = NewRandom(output);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_killed_at_random_with_its_server_does_every_side_effect_once_and_finishes()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        int kills = await RunUnderKillsAsync(server);
        output.WriteLine($"{kills} kills");
        Assert.InRange(kills, KillsMin, KillsMax);

        // What counts is what is on disk, not what the last server still had in memory.
        await server.KillAsync();
        await server.StartAsync(Cancelled);
        var history = new AgentHistory(server.Http);
        await AssertStepsMatchWorldAsync(server, await history.ReadVerifiedAsync("world", Cancelled));
        await history.ReadVerifiedAsync(Run, Cancelled);
    }

    [Fact]
    public async Task Killed_after_each_side_effect_before_its_result_the_side_effect_happens_once()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        int foundPending = 0;
        for (int step = 1; step <= Steps; step++)
        {
            await using ChildProcess agent = StartAgent(server, ThinkMs);
            await agent.WaitForOutputAsync(new Regex($"step {step}: acted"), RunBound, Cancelled);
            await agent.KillAsync();
            foundPending += Pending().Count(agent.Output);
        }
        await RunToTheEndAsync(server);

        // A busy machine may be late with a kill or two; most must have hit.
        Assert.InRange(foundPending, Steps / 2, Steps);
        var history = new AgentHistory(server.Http);
        await AssertStepsMatchWorldAsync(server, await history.ReadVerifiedAsync("world", Cancelled));
    }

    [Fact]
    public async Task A_finished_run_started_again_changes_nothing()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        await RunToTheEndAsync(server);
        var history = new AgentHistory(server.Http);
        IReadOnlyList<JsonNode> before = await history.ReadVerifiedAsync(Run, Cancelled);

        await RunToTheEndAsync(server);

        Assert.Equal(Steps * 2, before.Count);
        Assert.Equal(before.Count, (await history.ReadVerifiedAsync(Run, Cancelled)).Count);
        Assert.Equal(Steps, (await history.ReadVerifiedAsync("world", Cancelled)).Count);
    }

    private async Task RunToTheEndAsync(ServerProcess server)
    {
        await using ChildProcess agent = StartAgent(server, thinkMs: 0);
        Assert.True(await agent.WaitForExitAsync(RunBound, Cancelled) == 0, agent.Output);
    }

    /// <returns>How many processes were killed before the run was done.</returns>
    private async Task<int> RunUnderKillsAsync(ServerProcess server)
    {
        int kills = 0;
        while (true)
        {
            await using ChildProcess agent = StartAgent(server, ThinkMs);
            // Killed before it has begun, it shows nothing; how long it takes to begin is the machine's affair.
            await agent.WaitForOutputAsync(Begun(), RunBound, Cancelled);
            while (!await EndsWithinAsync(agent, kills < KillsMax ? RandomMoment() : RunBound))
            {
                kills++;
                if (_random.Next(3) != 0)
                {
                    await agent.KillAsync();
                    break;
                }
                await server.KillAsync();
                await server.StartAsync(Cancelled);
            }
            if (agent.ExitCode == 0)
                return kills;
            Assert.True(agent.ExitCode == KilledExitCode, agent.Output);
        }
    }

    private TimeSpan RandomMoment() => TimeSpan.FromMilliseconds(_random.Next(LifeMsMin, LifeMsMax));

    private static ChildProcess StartAgent(ServerProcess server, int thinkMs)
    {
        string dll = Repository.BuiltDll("samples/resume-after-crash", "Statehouse.Samples.ResumeAfterCrash");
        return ChildProcess.StartDotnet(dll, [
            "--server", $"http://{server.Address}",
            "--run", Run,
            "--steps", Steps.ToString(CultureInfo.InvariantCulture),
            "--think-ms", thinkMs.ToString(CultureInfo.InvariantCulture),
        ]);
    }

    private static async Task<bool> EndsWithinAsync(ChildProcess agent, TimeSpan bound)
    {
        try
        {
            await agent.WaitForExitAsync(bound, Cancelled);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Each step is done, each has one commit in the world, and each knows which.</summary>
    private static async Task AssertStepsMatchWorldAsync(ServerProcess server, IReadOnlyList<JsonNode> world)
    {
        Assert.Equal(Steps, world.Count);
        for (int step = 1; step <= Steps; step++)
        {
            string path = $"/v1/namespaces/default/agents/{Run}/state/{Uri.EscapeDataString($"step:{step}")}";
            JsonNode state = JsonNode.Parse(await server.Http.GetStringAsync(path, Cancelled))!;
            Assert.Equal("done", (string?)state["value"]!["status"]);

            int worldVersion = (int)state["value"]!["result"]!["world_version"]!;
            JsonNode effect = Assert.Single(world[worldVersion - 1]["operations"]!.AsArray())!;
            Assert.Equal($"order:{Run}:{step}", (string?)effect["key"]);
            Assert.Equal(1, (int)effect["version"]!);
        }
    }

    [GeneratedRegex("steps are done")]
    private static partial Regex Begun();

    [GeneratedRegex("was pending when we stopped")]
    private static partial Regex Pending();

    private static Random NewRandom(ITestOutputHelper output)
    {
        string? given = Environment.GetEnvironmentVariable("STATEHOUSE_TEST_SEED");
        int seed = given is null ? Random.Shared.Next() : int.Parse(given, CultureInfo.InvariantCulture);
        output.WriteLine($"STATEHOUSE_TEST_SEED={seed}");
        return new Random(seed);
    }
}
