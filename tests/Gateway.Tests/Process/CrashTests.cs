using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;
using Statehouse.Testing;

namespace Statehouse.Gateway.Tests.Process;

/// <summary>The real process, killed with <c>kill -9</c> and started again on its data.</summary>
public sealed class CrashTests
{
    private const string Agent = "/v1/namespaces/default/agents/planner";
    private const string Value = """{"n":9007199254740993,"list":[{"a":[1,null]}]}""";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_kill_9_values_versions_and_history_are_there_and_the_next_write_has_the_next_version()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        using var api = new ApiClient(new Uri("http://" + server.Address));
        (await api.PutAsync(Agent + "/state/task", Value)).Expect(200);
        (await api.DeleteAsync(Agent + "/state/gone")).Expect(200);
        (await api.PutAsync(Agent + "/state/task", Value, "Idempotency-Key: again")).Expect(200);
        Assert.Equal(Value, (await api.GetAsync(Agent + "/state/task")).Json.GetProperty("value").GetRawText());
        string state = (await api.GetAsync(Agent + "/state")).Body;
        string history = (await api.GetAsync(Agent + "/commits")).Body;
        string head = (await api.GetAsync(Agent)).Body;

        await server.KillAsync();
        await server.StartAsync(Cancelled);

        Assert.Equal(state, (await api.GetAsync(Agent + "/state")).Expect(200).Body);
        Assert.Equal(history, (await api.GetAsync(Agent + "/commits")).Expect(200).Body);
        Assert.Equal(head, (await api.GetAsync(Agent)).Expect(200).Body);
        Assert.Equal("true", (await api.PutAsync(Agent + "/state/task", Value, "Idempotency-Key: again")).Header("Idempotent-Replayed"));
        Reply next = (await api.PutAsync(Agent + "/state/task", "4")).Expect(200);
        Assert.Equal((3L, 4L), (next.Number("key_version"), next.Number("version")));
        Assert.Equal(2, (await api.PutAsync(Agent + "/state/gone", "1")).Expect(200).Number("key_version"));
        await VerifyChainAsync(api, 5);
    }

    [Fact]
    public async Task Kill_9_under_load_loses_no_acknowledged_commit_and_leaves_no_half_of_one()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        using var api = new ApiClient(new Uri("http://" + server.Address));
        long acknowledged = 0;
        var reached = new TaskCompletionSource();
        Task writing = WriteUntilBrokenAsync(api, version =>
        {
            acknowledged = version;
            if (version == 50)
                reached.SetResult();
        });
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancelled);

        await server.KillAsync();
        await writing;
        await server.StartAsync(Cancelled);

        Reply state = (await api.GetAsync(Agent + "/state")).Expect(200);
        long version = state.Number("agent_version");
        // One more may have reached the disk without its reply.
        Assert.InRange(version, acknowledged, acknowledged + 1);
        Assert.Equal([version, version], state.Items.Select(item => item.GetProperty("value").GetInt64()));
        await VerifyChainAsync(api, version);
    }

    private static async Task WriteUntilBrokenAsync(ApiClient api, Action<long> acknowledge)
    {
        try
        {
            for (long i = 1; ; i++)
            {
                Reply receipt = await api.PostAsync(Agent + "/commits", $$"""
                    {"operations":[{"op":"put","key":"a","value":{{i}}},{"op":"put","key":"b","value":{{i}}}]}
                    """);
                acknowledge(receipt.Expect(201).Number("version"));
            }
        }
        catch (HttpRequestException)
        {
            // The server was killed.
        }
    }

    /// <summary>Recomputes every hash from the answers' text, as an auditor would (docs/data-layout.md).</summary>
    private static async Task VerifyChainAsync(ApiClient api, long versions)
    {
        string hash = HashChain.Genesis(0, "default", "planner");
        for (long version = 1; version <= versions; version++)
        {
            Reply commit = (await api.GetAsync($"{Agent}/commits/{version}")).Expect(200);
            string body = "{" + commit.Body[commit.Body.IndexOf("\"operations\":", StringComparison.Ordinal)..];
            hash = HashChain.Next(hash, version, commit.Text("time"), commit.Text("txn_id"), body);
            Assert.Equal(hash, commit.Text("hash"));
        }
        JsonElement head = (await api.GetAsync(Agent)).Expect(200).Json;
        Assert.Equal((hash, versions), (head.GetProperty("hash").GetString(), head.GetProperty("version").GetInt64()));
    }
}
