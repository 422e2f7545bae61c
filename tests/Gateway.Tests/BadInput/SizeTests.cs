using System.Globalization;
using System.Text;
using Statehouse.Agents;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.BadInput;

/// <summary>Every size and count at its limit is taken, and one more is refused with the limit's name.</summary>
public sealed class SizeTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private const int NineMiB = 9 * 1024 * 1024;

    private static readonly Limits Limits = Limits.Default;

    private readonly string _agent = NodeFixture.NewAgent();

    private ApiClient Api => server.Api;

    [Fact]
    public async Task A_value_at_its_limit_is_taken_and_one_byte_more_is_refused()
    {
        string fits = $"\"{new string('x', Limits.ValueBytesMax - 2)}\"";
        (await Api.PutAsync(_agent + "/state/k", fits)).Expect(200);
        Assert.Equal(fits, (await Api.GetAsync(_agent + "/state/k")).Json.GetProperty("value").GetRawText());
        await RefusesAsync(() => Api.PutAsync(_agent + "/state/k", fits.Insert(1, "x")), "SH-1004", "value_bytes_max");
    }

    [Fact]
    public async Task A_value_of_64_levels_is_taken_and_one_of_65_is_refused_under_its_name()
    {
        (await Api.PutAsync(_agent + "/state/k", Nested(64))).Expect(200);
        int before = await Api.CountCommitsAsync();
        (await Api.PutAsync(_agent + "/state/k", Nested(65))).ExpectProblem(400, "SH-1003", "value");
        (await Api.PutAsync(_agent + "/state/k", Nested(100_000))).ExpectProblem(400, "SH-1003", "value");
        (await Api.PostAsync(_agent + "/commits", Commit($"{{\"op\":\"put\",\"key\":\"k\",\"value\":{Nested(65)}}}")))
            .ExpectProblem(400, "SH-1003", "operations[0].value");
        (await Api.PostAsync(_agent + "/commits", Commit($"{{\"op\":\"put\",\"key\":\"k\",\"value\":{Nested(100_000)}}}"))).ExpectProblem(400, "SH-1003");
        Assert.Equal(before, await Api.CountCommitsAsync());
        (await Api.PostAsync(_agent + "/commits", Commit($"{{\"op\":\"put\",\"key\":\"k\",\"value\":{Nested(64)}}}"))).Expect(201);
    }

    [Fact]
    public async Task A_commit_of_1000_operations_is_taken_and_one_of_1001_is_refused()
    {
        (await Api.PostAsync(_agent + "/commits", Commit(Deletes(1000)))).Expect(201);
        await RefusesAsync(() => Api.PostAsync(_agent + "/commits", Commit(Deletes(1001))), "SH-1004", "operations_per_commit_max");
    }

    [Fact]
    public async Task Metadata_at_its_limit_is_taken_and_one_byte_more_is_refused()
    {
        string fits = $"{{\"m\":\"{new string('x', Limits.MetadataBytesMax - 8)}\"}}";
        (await Api.PostAsync(_agent + "/commits", Commit(Deletes(1), $",\"metadata\":{fits}"))).Expect(201);
        await RefusesAsync(
            () => Api.PostAsync(_agent + "/commits", Commit(Deletes(1), $",\"metadata\":{fits.Insert(6, "x")}")), "SH-1004", "metadata_bytes_max");
    }

    [Fact]
    public async Task An_idempotency_key_at_its_limit_is_taken_and_one_byte_more_is_refused()
    {
        string fits = new('x', Limits.IdempotencyKeyBytesMax);
        (await Api.PutAsync(_agent + "/state/k", "1", "Idempotency-Key: " + fits)).Expect(200);
        await RefusesAsync(() => Api.PutAsync(_agent + "/state/k", "1", "Idempotency-Key: x" + fits), "SH-1004", "idempotency_key_bytes_max");
    }

    [Fact]
    public async Task A_state_that_would_outgrow_its_limit_is_refused_and_a_delete_still_works()
    {
        await using Node small = await Node.StartAsync(Limits with { StateBytesMax = 1000, CommitBytesMax = 1000, ValueBytesMax = 900 });
        string value = $"\"{new string('x', 500)}\"";
        (await small.Api.PutAsync(_agent + "/state/a", value)).Expect(200);
        Reply refused = (await small.Api.PutAsync(_agent + "/state/b", value)).ExpectProblem(413, "SH-1004");
        Assert.Equal("limits.state_bytes_max", refused.Json.GetProperty("details").GetProperty("setting").GetString());
        (await small.Api.DeleteAsync(_agent + "/state/a")).Expect(200);
        (await small.Api.PutAsync(_agent + "/state/b", value)).Expect(200);
    }

    [Fact]
    public async Task A_body_that_announces_9_MiB_is_refused_before_it_is_sent()
    {
        int before = await Api.CountCommitsAsync();
        await using RawHttp raw = await RawHttp.ConnectAsync(server.Node.Address);
        await raw.SendAsync($"PUT {_agent}/state/k HTTP/1.1\nHost: x\nContent-Length: {NineMiB}\n\n\"");
        (await raw.ReadReplyAsync()).ExpectProblem(413, "SH-1004");
        Assert.Equal(before, await Api.CountCommitsAsync());
    }

    [Fact]
    public async Task A_body_of_9_MiB_in_chunks_is_refused_when_it_has_passed_the_limit()
    {
        int before = await Api.CountCommitsAsync();
        await using RawHttp raw = await RawHttp.ConnectAsync(server.Node.Address);
        await raw.SendAsync($"PUT {_agent}/state/k HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n");
        Task<RawReply> reply = raw.ReadReplyAsync();
        byte[] chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 0x10000)}\r\n");
        int chunks = 0;
        // It never ends by itself; the server's answer does that.
        while (!reply.IsCompleted && chunks < NineMiB / 0x10000 && await TrySendAsync(raw, chunk))
            chunks++;
        (await reply).ExpectProblem(413, "SH-1004");
        Assert.True(chunks >= Limits.CommitBytesMax / 0x10000, $"refused after {chunks} chunks");
        Assert.Equal(before, await Api.CountCommitsAsync());
    }

    [Fact]
    public async Task A_body_that_comes_piece_by_piece_is_read_to_its_end()
    {
        await using RawHttp raw = await RawHttp.ConnectAsync(server.Node.Address);
        await raw.SendAsync($"PUT {_agent}/state/k HTTP/1.1\nHost: x\nConnection: close\nTransfer-Encoding: chunked\n\n");
        foreach (char c in "[1, 2, 3]")
            await raw.SendAsync($"1\n{c}\n");
        await raw.SendAsync("0\n\n");
        Assert.Equal(200, (await raw.ReadReplyAsync()).Status);
        Assert.Equal("[1, 2, 3]", (await Api.GetAsync(_agent + "/state/k")).Json.GetProperty("value").GetRawText());
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFF")]
    [InlineData("80000000")]
    [InlineData("18446744073709551616")]
    [InlineData("-1")]
    public async Task A_chunk_of_a_size_that_is_none_is_refused_and_the_connection_closed(string size)
    {
        int before = await Api.CountCommitsAsync();
        await using RawHttp raw = await RawHttp.ConnectAsync(server.Node.Address);
        await raw.SendAsync($"PUT {_agent}/state/k HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n{size}\n12345");
        (await raw.ReadReplyAsync()).ExpectProblem(400, "SH-1003");
        Assert.Equal(before, await Api.CountCommitsAsync());
    }

    [Fact]
    public async Task A_body_that_breaks_off_writes_nothing()
    {
        int before = await Api.CountCommitsAsync();
        await using (RawHttp raw = await RawHttp.ConnectAsync(server.Node.Address))
            await raw.SendAsync($"PUT {_agent}/state/k HTTP/1.1\nHost: x\nContent-Length: 100\n\n12345");
        (await Api.GetAsync("/readyz")).Expect(200);
        Assert.Equal(before, await Api.CountCommitsAsync());
    }

    [Fact]
    public async Task A_body_that_stops_coming_is_given_up_and_writes_nothing()
    {
        int before = await Api.CountCommitsAsync();
        await using RawHttp raw = await RawHttp.ConnectAsync(server.Node.Address);
        await raw.SendAsync($"PUT {_agent}/state/k HTTP/1.1\nHost: x\nContent-Length: {NineMiB / 2}\n\n\"");
        (await raw.ReadReplyAsync()).ExpectProblem(408, "SH-1003");
        Assert.Equal(before, await Api.CountCommitsAsync());
    }

    private static async Task<bool> TrySendAsync(RawHttp raw, byte[] chunk)
    {
        try
        {
            await raw.SendAsync(chunk);
            return true;
        }
        catch (IOException)
        {
            // The server has answered and closed.
            return false;
        }
    }

    private async Task RefusesAsync(Func<Task<Reply>> send, string code, string setting)
    {
        int before = await Api.CountCommitsAsync();
        Reply refused = (await send()).ExpectProblem(413, code);
        Assert.Equal("limits." + setting, refused.Json.GetProperty("details").GetProperty("setting").GetString());
        Assert.Equal(before, await Api.CountCommitsAsync());
        (await Api.PutAsync("/v1/namespaces/default/agents/next/state/k", "1")).Expect(200);
    }

    private static string Nested(int levels) => new string('[', levels) + new string(']', levels);

    private static string Deletes(int count) => string.Join(
        ',', Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{{\"op\":\"delete\",\"key\":\"{i}\"}}")));

    private static string Commit(string operations, string more = "") => $"{{\"operations\":[{operations}]{more}}}";
}
