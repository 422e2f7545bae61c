using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Statehouse.Agents;

namespace Statehouse.Gateway.Tests.BadInput;

/// <summary>What bodies may hold together, and for how long.</summary>
public sealed class RequestLoadTests
{
    private const int MiB = 1024 * 1024;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(10 * MiB, 10 * MiB, 9 * MiB)]
    [InlineData(10 * MiB, 1, 10 * MiB)]
    [InlineData(65 * MiB, 64 * MiB, 65 * MiB)]
    public async Task A_body_within_the_commits_limit_is_taken_while_nothing_else_is_held(int commitBytesMax, int requestBytesMax, int bytes)
    {
        Limits limits = Limits.Default with { CommitBytesMax = commitBytesMax, RequestBytesMax = requestBytesMax };
        LimitTable.CheckTogether(limits);
        var load = new RequestLoad(1, 1, RequestLoad.BytesMaxOf(limits));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: MiB, resumeWriterThreshold: MiB / 2));
        Task sending = SendAsync(pipe.Writer, bytes);

        using RequestBody body = await RequestBody.ReadAsync(Request(pipe.Reader), load, commitBytesMax, Cancellation);

        await sending;
        Assert.Equal(bytes, body.Utf8.Length);
    }

    private static HttpRequest Request(PipeReader body)
    {
        var http = new DefaultHttpContext();
        http.Features.Set<IRequestBodyPipeFeature>(new BodyPipe(body));
        return http.Request;
    }

    private static async Task SendAsync(PipeWriter writer, int bytes)
    {
        byte[] piece = new byte[MiB];
        for (int sent = 0; sent < bytes; sent += piece.Length)
            await writer.WriteAsync(piece.AsMemory(0, Math.Min(piece.Length, bytes - sent)), Cancellation);
        await writer.CompleteAsync();
    }

    private sealed class BodyPipe(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader { get; } = reader;
    }
}
