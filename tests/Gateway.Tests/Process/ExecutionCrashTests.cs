using Statehouse.Gateway.Tests.Hosting;
using Statehouse.Testing;

namespace Statehouse.Gateway.Tests.Process;

/// <summary>The real process, killed with <c>kill -9</c> under executions, or told to stop.</summary>
public sealed class ExecutionCrashTests
{
    private const string E = "/v1/namespaces/default/executions";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_kill_9_checkpoints_leases_and_the_index_are_as_acknowledged_and_what_was_buffered_is_lost()
    {
        await using ServerProcess server = await StartPatientAsync();
        using var api = new ApiClient(new Uri("http://" + server.Address));
        (await api.PostAsync(E, """{"execution_id":"run","workflow":"w","claim":{"worker":"me"}}""")).Expect(201);
        for (int step = 1; step <= 20; step++)
            (await api.PutAsync($"{E}/run/checkpoints/{step}?token=1", $"{step}")).Expect(201);
        (await api.PostAsync($"{E}/run/snapshots/s?step=7", "")).Expect(201);
        string execution = (await api.GetAsync($"{E}/run")).Body;
        string history = (await api.GetAsync($"{E}/run/checkpoints?state=true")).Body;
        string list = (await api.GetAsync($"{E}?status=running")).Expect(200).Body;
        (await api.PutAsync($"{E}/run/checkpoints/21?token=1&buffered=true", "21")).Expect(202);
        await server.KillAsync();
        await server.StartAsync(Cancelled);

        Assert.Equal(execution, (await api.GetAsync($"{E}/run")).Expect(200).Body);
        Assert.Equal(list, (await api.GetAsync($"{E}?status=running")).Expect(200).Body);
        Assert.Equal(history, (await api.GetAsync($"{E}/run/checkpoints?state=true")).Expect(200).Body);
        Assert.Equal("7", (await api.GetAsync($"{E}/run/snapshots/s")).Expect(200).Json.GetProperty("state").GetRawText());
        (await api.PutAsync($"{E}/run/checkpoints/22", "22")).ExpectProblem(409, "SH-1001");
        (await api.PutAsync($"{E}/run/checkpoints/22?token=1", "22")).Expect(201);
    }

    [Fact]
    public async Task Told_to_stop_it_writes_what_it_has_buffered()
    {
        await using ServerProcess server = await StartPatientAsync();
        using var api = new ApiClient(new Uri("http://" + server.Address));
        (await api.PostAsync(E, """{"execution_id":"run","workflow":"w"}""")).Expect(201);
        for (int step = 1; step <= 30; step++)
            (await api.PutAsync($"{E}/run/checkpoints/{step}?buffered=true", $"{step}")).Expect(202);
        Assert.Equal(0, await server.Process.TerminateAsync(TimeSpan.FromSeconds(30), Cancelled));
        await server.StartAsync(Cancelled);
        Assert.Equal(30, (await api.GetAsync($"{E}/run")).Expect(200).Number("step"));
    }

    /// <summary>A server that writes nothing of what it has buffered by itself.</summary>
    private static async Task<ServerProcess> StartPatientAsync()
    {
        ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        await server.KillAsync();
        string settings = Path.Combine(Path.GetDirectoryName(server.DataFolder)!, "statehouse.json");
        await File.WriteAllTextAsync(settings, """{"executions":{"batch_size":10000,"flush_interval_ms":60000}}""", Cancelled);
        await server.StartAsync(Cancelled);
        return server;
    }
}
