using System.Globalization;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

public sealed class CounterTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private const int Clients = 64;
    private const int IncrementsEach = 4;

    // Each attempt that fails, fails because another one succeeded.
    private const int AttemptsMax = Clients * IncrementsEach + 1;

    private readonly string _key = NodeFixture.NewAgent() + "/state/counter";

    [Fact]
    public async Task Sixty_four_clients_that_increment_one_counter_through_If_Match_lose_no_update()
    {
        (await server.Api.PutAsync(_key, "0")).Expect(200);

        int[] conflicts = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => IncrementAsync()));

        Reply counter = (await server.Api.GetAsync(_key)).Expect(200);
        Assert.Equal(
            (Clients * IncrementsEach, Clients * IncrementsEach + 1L),
            (counter.Json.GetProperty("value").GetInt32(), counter.Number("version")));
        Assert.True(conflicts.Sum() > 0, "no two clients ever met: this run has shown nothing");
    }

    /// <returns>How often another client was first.</returns>
    private async Task<int> IncrementAsync()
    {
        int conflicts = 0;
        for (int i = 0; i < IncrementsEach; i++)
        {
            int attempts = 1;
            while (!await TryIncrementAsync())
                Assert.True(++attempts <= AttemptsMax, "an attempt failed that nobody was in the way of");
            conflicts += attempts - 1;
        }
        return conflicts;
    }

    private async Task<bool> TryIncrementAsync()
    {
        Reply read = (await server.Api.GetAsync(_key)).Expect(200);
        string next = (read.Json.GetProperty("value").GetInt32() + 1).ToString(CultureInfo.InvariantCulture);
        Reply written = await server.Api.PutAsync(_key, next, "If-Match: " + read.Header("ETag"));
        if (written.Status == 200)
            return true;
        written.ExpectProblem(409, "SH-1001");
        return false;
    }
}
