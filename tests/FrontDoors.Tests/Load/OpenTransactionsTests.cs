using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Load;

/// <summary>Interactive transactions that hold all that may be staged, and whoever opened them is gone.</summary>
public sealed partial class OpenTransactionsTests
{
    private const int Transactions = 1000;
    private const int BytesEach = 200_000;
    private const int AbandonedRounds = 3;

    /// <summary>All that the rounds stage would not fit: what is not given back ends the server.</summary>
    private const long HeapBytesMax = 512L << 20;
    private const long PeakBytesMax = HeapBytesMax + (256L << 20);

    private static readonly TimeSpan ExpiryBound = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_with_all_bytes_staged_are_bounded_and_what_is_abandoned_is_given_back()
    {
        await using ServerProcess server = BackPressureTests.BoundedServer(
            HeapBytesMax, $"open_transactions_max={Transactions}", $"staged_bytes_max={(long)Transactions * BytesEach}");
        await server.StartAsync(Cancelled);
        await server.ExpectServiceAsync();

        string[] open = await FillAsync(server, timeoutMs: 600_000);
        Assert.All(open, txn => Assert.NotEqual("", txn));
        Assert.Equal((HttpStatusCode.TooManyRequests, "SH-2003"), await RefusalAsync(server, "/v1/transactions", "{\"timeout_ms\":1000}"));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "SH-1004"), await RefusalAsync(server, Operations(open[0]), Body(1)));
        await server.ExpectServiceAsync();
        await Parallel.ForEachAsync(open, Few, async (txn, _) =>
        {
            using HttpResponseMessage aborted = await server.Http.DeleteAsync("/v1/transactions/" + txn, Cancelled);
            Assert.True(aborted.IsSuccessStatusCode);
        });
        Assert.Equal(0, await OpenNowAsync(server));

        for (int round = 0; round < AbandonedRounds; round++)
        {
            // On a slow machine some expire before they have staged anything; most must not.
            string[] abandoned = await FillAsync(server, timeoutMs: 3000);
            Assert.InRange(abandoned.Count(txn => txn.Length > 0), Transactions / 2, Transactions);
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            bounded.CancelAfter(ExpiryBound);
            while (await OpenNowAsync(server) > 0)
                await Task.Delay(100, bounded.Token);
        }

        Assert.All(await FillAsync(server, timeoutMs: 600_000), txn => Assert.NotEqual("", txn));
        await server.ExpectServiceAsync();
        server.ExpectNoErrorLogged();
        server.ExpectPeakBelow(PeakBytesMax);
    }

    private static ParallelOptions Few => new() { MaxDegreeOfParallelism = 8, CancellationToken = Cancelled };

    /// <summary>Opens as many as may be open, each with its share of what may be staged.</summary>
    /// <returns>Their ids; empty where one had expired before its bytes came.</returns>
    private static async Task<string[]> FillAsync(ServerProcess server, int timeoutMs)
    {
        string[] open = new string[Transactions];
        string body = Body(BytesEach);
        await Parallel.ForEachAsync(Enumerable.Range(0, Transactions), Few, async (i, _) =>
        {
            (HttpStatusCode status, JsonElement begun) = await PostAsync(server, "/v1/transactions", $"{{\"timeout_ms\":{timeoutMs}}}");
            Assert.Equal(HttpStatusCode.OK, status);
            string txn = begun.GetProperty("txn_id").GetString()!;
            (status, JsonElement staged) = await PostAsync(server, Operations(txn), body);
            if (status != HttpStatusCode.OK)
                Assert.Equal("SH-1006", staged.GetProperty("code").GetString());
            open[i] = status == HttpStatusCode.OK ? txn : "";
        });
        return open;
    }

    /// <summary>One operation that counts so many bytes: those of its key, <c>k</c>, and of its value's text.</summary>
    private static string Body(int bytes)
    {
        string value = bytes < 4 ? "1" : $"\"{new string('x', bytes - 3)}\"";
        return $$"""{"operations":[{"namespace":"n","agent":"a","op":"put","key":"k","value":{{value}}}]}""";
    }

    private static string Operations(string txn) => $"/v1/transactions/{txn}/operations";

    private static async Task<(HttpStatusCode Status, string Code)> RefusalAsync(ServerProcess server, string path, string body)
    {
        (HttpStatusCode status, JsonElement problem) = await PostAsync(server, path, body);
        return (status, problem.GetProperty("code").GetString()!);
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(ServerProcess server, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage reply = await server.Http.PostAsync(path, content, Cancelled);
        using JsonDocument json = JsonDocument.Parse(await reply.Content.ReadAsStringAsync(Cancelled));
        return (reply.IsSuccessStatusCode ? HttpStatusCode.OK : reply.StatusCode, json.RootElement.Clone());
    }

    private static async Task<int> OpenNowAsync(ServerProcess server)
    {
        Match gauge = OpenGauge().Match(await server.Http.GetStringAsync("/metrics", Cancelled));
        Assert.True(gauge.Success);
        return int.Parse(gauge.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^statehouse_transactions_open(?:\{[^}]*\})? (\d+)", RegexOptions.Multiline)]
    private static partial Regex OpenGauge();
}
