using System.IO.Pipelines;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Statehouse.Agents;
using Statehouse.Gateway.Tests.Hosting;
using Statehouse.Journal;

namespace Statehouse.Gateway.Tests.BadInput;

/// <summary>What bodies may hold together, and for how long.</summary>
public sealed class RequestLoadTests
{
    private const int MiB = 1024 * 1024;

    private static readonly BodyPace Patient = new(TimeSpan.FromMinutes(1), 1, TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(10 * MiB, 10 * MiB, 9 * MiB)]
    [InlineData(10 * MiB, 1, 10 * MiB)]
    [InlineData(65 * MiB, 64 * MiB, 65 * MiB)]
    public async Task A_body_within_the_commits_limit_is_taken_while_nothing_else_is_held(int commitBytesMax, int requestBytesMax, int bytes)
    {
        Limits limits = Limits.Default with { CommitBytesMax = commitBytesMax, RequestBytesMax = requestBytesMax };
        LimitTable.CheckTogether(limits);
        var load = new RequestLoad(1, 1, RequestLoad.BytesMaxOf(limits), Patient);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: MiB, resumeWriterThreshold: MiB / 2));
        Task sending = SendAsync(pipe.Writer, bytes);

        using RequestBody body = await RequestBody.ReadAsync(Request(pipe.Reader), load, commitBytesMax, Cancellation);

        await sending;
        Assert.Equal(bytes, body.Utf8.Length);
    }

    [Fact]
    public async Task A_body_that_drips_is_given_up_and_gives_back_what_it_held()
    {
        const int Announced = 8 * MiB;
        await using Node node = await Node.StartAsync(
            Limits.Default with { RequestBytesMax = Announced },
            new GatewayOptions { BodyGrace = TimeSpan.FromMilliseconds(300), BodyBytesPerSecondMin = 1024 * MiB });
        await using RawHttp raw = await RawHttp.ConnectAsync(node.Address);
        await raw.SendAsync(
            $"PUT /v1/namespaces/default/agents/a/state/k HTTP/1.1\nHost: x\nContent-Length: {Announced}\n\n\"{new string('x', 5 * MiB)}");

        RawReply reply = await raw.ReadReplyAsync();

        reply.ExpectProblem(408, "SH-1003");
        Assert.Contains("too slowly", reply.Body, StringComparison.Ordinal);
        (await node.Api.PutAsync("/v1/namespaces/default/agents/a/state/k", $"\"{new string('x', MiB - 2)}\"")).Expect(200);
    }

    [Fact]
    public async Task A_body_that_is_not_counted_may_take_longer()
    {
        await using Node node = await Node.StartAsync(
            options: new GatewayOptions { BodyGrace = TimeSpan.FromMilliseconds(1), BodyBytesPerSecondMin = 1024 * MiB });
        await using RawHttp raw = await RawHttp.ConnectAsync(node.Address);
        await raw.SendAsync("PUT /v1/namespaces/default/agents/a/state/k HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 3\n\n1");
        // Another whole request on another connection lies between the two halves.
        (await node.Api.GetAsync("/readyz")).Expect(200);
        await raw.SendAsync("23");
        Assert.Equal(200, (await raw.ReadReplyAsync()).Status);
    }

    [Fact]
    public async Task A_message_is_given_back_when_the_next_one_is_awaited_or_the_stream_goes_on_without_it()
    {
        const int Bytes = 80 * 1024;
        const int BytesMax = 100 * 1024;
        var load = new RequestLoad(1, 1, BytesMax, Patient);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: MiB, resumeWriterThreshold: MiB / 2));
        using var reader = new MessageReader(pipe.Reader, load, MiB);
        byte[] message = new BytesValue { Value = ByteString.CopyFrom(new byte[Bytes]) }.ToByteArray();
        byte[] framed = [0, .. BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder(message.Length)), .. message];

        Assert.Equal(Bytes, (await ReadInTwoAsync())!.Value.Length);
        Assert.Throws<JournalBusyException>(() => load.TakeBytes(BytesMax));
        Task<BytesValue?> second = ReadInTwoAsync();
        Assert.NotNull(await second);
        reader.GiveBack();
        load.TakeBytes(BytesMax);
        load.GiveBytes(BytesMax);
        Assert.NotNull(await ReadInTwoAsync());
        Task<BytesValue?> next = reader.ReadAsync(BytesValue.Parser, Cancellation).AsTask();
        load.TakeBytes(BytesMax);
        load.GiveBytes(BytesMax);
        await pipe.Writer.CompleteAsync();
        Assert.Null(await next);

        // A message is only counted where it does not come at once.
        async Task<BytesValue?> ReadInTwoAsync()
        {
            await pipe.Writer.WriteAsync(framed.AsMemory(0, framed.Length - 1), Cancellation);
            Task<BytesValue?> read = reader.ReadAsync(BytesValue.Parser, Cancellation).AsTask();
            await pipe.Writer.WriteAsync(framed.AsMemory(framed.Length - 1), Cancellation);
            return await read;
        }
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
