using Statehouse.Gateway.Tests.OpenApi;

namespace Statehouse.Gateway.Tests.Hosting;

/// <summary>Fails a test whose server answers anything that the API document does not describe.</summary>
internal sealed class DescribedHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        string mediaType = response.Content.Headers.ContentType?.MediaType ?? "";
        // A stream does not end; its events are looked at by those who read them.
        string body = mediaType == "text/event-stream" ? "" : await response.Content.ReadAsStringAsync(cancellationToken);
        IEnumerable<string> complaints = ApiDescription.Served.Complaints(
            request.Method.Method, request.RequestUri!.AbsolutePath, (int)response.StatusCode, mediaType, body);
        Assert.True(
            !complaints.Any(), $"{request.Method} {request.RequestUri} → {(int)response.StatusCode} {body}\n{string.Join('\n', complaints)}");
        return response;
    }
}
