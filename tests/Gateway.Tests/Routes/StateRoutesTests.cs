using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

public sealed class StateRoutesTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _agent = NodeFixture.NewAgent();

    private string Key => _agent + "/state/k";

    private ApiClient Api => server.Api;

    [Theory]
    [InlineData("""{"n":9007199254740993,"list":[{"a":[1,null]}]}""")]
    [InlineData("""{"z":1,"a":2}""")]
    [InlineData("123456789012345678901234567890.000000000000000000001")]
    [InlineData("1E400")]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("\"\\u00e9 é \\ud83d\\ude00 😀 \\\\ \\/\"")]
    [InlineData("[ 1 ,\n\t2 ]")]
    public async Task A_value_reads_back_as_the_text_that_was_written(string value)
    {
        (await Api.PutAsync(Key, value)).Expect(200);

        Reply read = (await Api.GetAsync(Key)).Expect(200);

        Assert.Equal(value, read.Json.GetProperty("value").GetRawText());
        Assert.True(read.Json.GetProperty("exists").GetBoolean());
    }

    [Fact]
    public async Task A_write_answers_its_receipt_and_the_entity_tag_of_the_key()
    {
        Reply first = (await Api.PutAsync(Key, "1")).Expect(200);
        Reply second = (await Api.PutAsync(Key, "2")).Expect(200);

        Assert.Equal(("\"1\"", "\"2\""), (first.Header("ETag"), second.Header("ETag")));
        Assert.Equal((1L, 2L), (first.Number("key_version"), second.Number("version")));
        Assert.True(second.Number("commit_ts") > first.Number("commit_ts"));
        Assert.Equal("\"2\"", (await Api.GetAsync(Key)).Header("ETag"));
    }

    [Fact]
    public async Task A_delete_is_a_version_and_the_next_write_goes_on_from_it()
    {
        await Api.PutAsync(Key, "1");

        Reply deleted = (await Api.DeleteAsync(Key)).Expect(200);
        Reply absent = (await Api.GetAsync(Key)).ExpectProblem(404, "SH-1007");
        Reply again = (await Api.PutAsync(Key, "3")).Expect(200);

        Assert.Equal(2, deleted.Number("key_version"));
        Assert.Equal(("k", 2L, 2L), (absent.Text("key"), absent.Number("version"), absent.Number("agent_version")));
        Assert.False(absent.Json.GetProperty("exists").GetBoolean());
        Assert.Equal(3, again.Number("key_version"));
    }

    [Fact]
    public async Task A_key_that_never_was_is_absent_at_version_0()
    {
        Reply absent = (await Api.GetAsync(Key)).ExpectProblem(404, "SH-1007");
        Assert.Equal((0L, 0L), (absent.Number("version"), absent.Number("agent_version")));
        Assert.Null(absent.Header("ETag"));
    }

    [Fact]
    public async Task If_Match_writes_only_over_its_version()
    {
        await Api.PutAsync(Key, "1");
        (await Api.PutAsync(Key, "2", "If-Match: \"1\"")).Expect(200);

        Reply stale = (await Api.PutAsync(Key, "3", "If-Match: \"1\"")).ExpectProblem(409, "SH-1001");
        (await Api.DeleteAsync(Key, "If-Match: \"1\"")).ExpectProblem(409, "SH-1001");

        JsonElement details = stale.Json.GetProperty("details");
        Assert.Equal(
            ("k", "1", "2"),
            (details.GetProperty("key").GetString(), details.GetProperty("expected").GetString(), details.GetProperty("actual").GetString()));
        Assert.Equal("2", (await Api.GetAsync(Key)).Json.GetProperty("value").GetRawText());
        (await Api.DeleteAsync(Key, "If-Match: \"2\"")).Expect(200);
    }

    [Fact]
    public async Task If_Match_star_writes_only_where_the_key_exists()
    {
        (await Api.PutAsync(Key, "1", "If-Match: *")).ExpectProblem(409, "SH-1001");
        await Api.PutAsync(Key, "1");
        (await Api.PutAsync(Key, "2", "If-Match: *")).Expect(200);
        (await Api.DeleteAsync(Key, "If-Match: *")).Expect(200);
        (await Api.DeleteAsync(Key, "If-Match: *")).ExpectProblem(409, "SH-1001");
    }

    [Fact]
    public async Task If_None_Match_star_writes_only_where_the_key_does_not_exist()
    {
        (await Api.PutAsync(Key, "1", "If-None-Match: *")).Expect(200);
        (await Api.PutAsync(Key, "2", "If-None-Match: *")).ExpectProblem(409, "SH-1001");
        await Api.DeleteAsync(Key);
        (await Api.PutAsync(Key, "3", "If-None-Match: *")).Expect(200);
    }

    [Fact]
    public async Task A_reader_that_has_the_version_gets_304_and_no_body()
    {
        await Api.PutAsync(Key, "1");
        Reply unchanged = (await Api.GetAsync(Key, "If-None-Match: \"1\"")).Expect(304);
        Assert.Equal(("", "\"1\""), (unchanged.Body, unchanged.Header("ETag")));

        await Api.PutAsync(Key, "2");
        Assert.Equal("2", (await Api.GetAsync(Key, "If-None-Match: \"1\"")).Expect(200).Json.GetProperty("value").GetRawText());
    }

    [Fact]
    public async Task The_past_reads_as_it_was()
    {
        for (int i = 1; i <= 3; i++)
            await Api.PutAsync(Key, $"{i}");
        await Api.DeleteAsync(Key);
        string timeOf2 = (await Api.GetAsync(_agent + "/commits/2")).Text("time");

        foreach (string query in (string[])["at_version=2", "key_version=2", $"at={timeOf2}", $"at={timeOf2.Replace("Z", "%2B00:00", StringComparison.Ordinal)}"])
        {
            Reply read = (await Api.GetAsync($"{Key}?{query}")).Expect(200);
            Assert.Equal(("2", 2L), (read.Json.GetProperty("value").GetRawText(), read.Number("version")));
        }
        (await Api.GetAsync(Key + "?at=2020-01-01T00:00:00Z")).ExpectProblem(404, "SH-1007");
        (await Api.GetAsync(Key + "?key_version=4")).ExpectProblem(404, "SH-1007");
        (await Api.GetAsync(Key + "?consistency=strong")).ExpectProblem(404, "SH-1007");
    }

    [Fact]
    public async Task A_version_above_the_head_is_not_found()
    {
        await Api.PutAsync(Key, "1");
        (await Api.GetAsync(Key + "?at_version=2")).ExpectProblem(404, "SH-1007");
        (await Api.GetAsync(Key + "?key_version=2")).ExpectProblem(404, "SH-1007");
        (await Api.GetAsync(Key + "?at_version=9223372036854775807")).ExpectProblem(404, "SH-1007");
    }

    [Fact]
    public async Task A_repeat_with_its_idempotency_key_answers_the_first_receipt_and_writes_nothing()
    {
        Reply first = (await Api.PutAsync(Key, "1", "Idempotency-Key: once")).Expect(200);
        await Api.PutAsync(Key, "2");

        Reply repeat = (await Api.PutAsync(Key, "1", "Idempotency-Key: once")).Expect(200);

        Assert.Equal(first.Body, repeat.Body);
        Assert.Equal((null, "true"), (first.Header("Idempotent-Replayed"), repeat.Header("Idempotent-Replayed")));
        Assert.Equal("2", (await Api.GetAsync(Key)).Json.GetProperty("value").GetRawText());
        (await Api.PutAsync(Key, "3", "Idempotency-Key: once")).ExpectProblem(422, "SH-1002");
        (await Api.DeleteAsync(Key, "Idempotency-Key: once")).ExpectProblem(422, "SH-1002");
        Assert.Equal(2, (await Api.GetAsync(_agent)).Number("version"));
    }

    [Fact]
    public async Task HEAD_answers_what_GET_does_without_the_body()
    {
        await Api.PutAsync(Key, "\"text\"");
        Reply got = await Api.GetAsync(Key);
        Reply head = (await Api.SendAsync("HEAD", Key, null)).Expect(200);
        Assert.Equal("", head.Body);
        Assert.Equal((got.Header("ETag"), got.Header("Content-Length")), (head.Header("ETag"), head.Header("Content-Length")));
    }
}
