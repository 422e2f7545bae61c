using System.Net.Http.Headers;
using System.Text;

namespace Statehouse.Gateway.Tests.Hosting;

/// <summary>
/// Sends requests whose targets go over the wire as they are written: no dot segment is folded, no escape decoded.
/// Headers are given as <c>Name: value</c>.
/// </summary>
internal sealed class ApiClient(Uri address) : IDisposable
{
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpClient _http = new(new DescribedHandler(new SocketsHttpHandler())) { Timeout = TimeSpan.FromSeconds(60) };
    private readonly string _root = address.ToString().TrimEnd('/');

    public Task<Reply> GetAsync(string target, params string[] headers) => SendAsync("GET", target, null, headers);

    public Task<Reply> PutAsync(string target, string body, params string[] headers) => SendAsync("PUT", target, Text(body), headers);

    public Task<Reply> DeleteAsync(string target, params string[] headers) => SendAsync("DELETE", target, null, headers);

    public Task<Reply> PostAsync(string target, string body, params string[] headers) => SendAsync("POST", target, Text(body), headers);

    public async Task<Reply> SendAsync(string method, string target, HttpContent? content, params string[] headers)
    {
        using HttpRequestMessage request = Request(method, target, content, headers);
        using HttpResponseMessage response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return await Reply.ReadAsync(response);
    }

    /// <summary>Opens an event stream.</summary>
    public async Task<EventReader> FollowAsync(string target, params string[] headers)
    {
        using HttpRequestMessage request = Request("GET", target, null, ["Accept: text/event-stream", .. headers]);
        HttpResponseMessage response = await _http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        if (response.StatusCode != System.Net.HttpStatusCode.OK)
            Assert.Fail((await Reply.ReadAsync(response)).ToString());
        return await EventReader.OpenAsync(response);
    }

    /// <summary>How many commits the store holds: what must not change where a request is refused.</summary>
    public async Task<int> CountCommitsAsync()
    {
        int count = 0;
        string? after = "0";
        while (after is not null)
        {
            Reply page = (await GetAsync($"/v1/feed?limit=1000&after={after}")).Expect(200);
            count += page.Json.GetProperty("items").GetArrayLength();
            after = page.Has("next") ? page.Text("next") : null;
        }
        return count;
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(string method, string target, HttpContent? content, string[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(_root + target, AsWritten)) { Content = content };
        foreach (string header in headers)
        {
            string[] parts = header.Split(": ", 2);
            if (parts[0] == "Content-Type")
                content!.Headers.ContentType = MediaTypeHeaderValue.Parse(parts[1]);
            else
                Assert.True(request.Headers.TryAddWithoutValidation(parts[0], parts[1]), header);
        }
        return request;
    }

    private static ByteArrayContent Text(string body) => new(Encoding.UTF8.GetBytes(body));
}
