using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.BadInput;

/// <summary>A web page of somebody else must not write to a server on its visitor's machine; command lines need no ceremony.</summary>
public sealed class BrowserRequestTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _key = NodeFixture.NewAgent() + "/state/k";

    private ApiClient Api => server.Api;

    [Theory]
    [InlineData("Content-Type: application/x-www-form-urlencoded")]
    [InlineData("Content-Type: text/plain")]
    [InlineData("Content-Type: application/json; charset=utf-8")]
    public async Task Without_signs_of_a_browser_any_content_type_is_taken(string contentType) =>
        (await Api.PutAsync(_key, "1", contentType)).Expect(200);

    [Theory]
    [InlineData("Origin: https://elsewhere.example")]
    [InlineData("Origin: null")]
    [InlineData("Sec-Fetch-Site: cross-site")]
    public async Task From_a_browser_only_JSON_is_taken(string sign)
    {
        int before = await Api.CountCommitsAsync();
        foreach (string contentType in (string[])["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"])
        {
            (await Api.PutAsync(_key, "1", sign, "Content-Type: " + contentType)).ExpectProblem(415, "SH-1003");
            (await Api.PostAsync("/v1/commits", "{}", sign, "Content-Type: " + contentType)).ExpectProblem(415, "SH-1003");
        }
        (await Api.PostAsync("/v1/transactions", "", sign)).ExpectProblem(415, "SH-1003");
        Assert.Equal(before, await Api.CountCommitsAsync());
        Reply taken = (await Api.PutAsync(_key, "1", sign, "Content-Type: Application/JSON")).Expect(200);
        Assert.Null(taken.Header("Access-Control-Allow-Origin"));
    }
}
