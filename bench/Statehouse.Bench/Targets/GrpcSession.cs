using System.Text;
using Statehouse.Bench.Load;

namespace Statehouse.Bench.Targets;

/// <summary>One caller of Statehouse over gRPC. A value is a <c>Struct</c>, so the JSON text goes as a string into one.</summary>
internal sealed class GrpcSession(string address) : ISession
{
    /// <summary>What the client's buffer takes in one call, heads included.</summary>
    private const int ValueBytesMax = 3_000;

    private readonly RawGrpcClient _grpc = new(address);

    public bool Blocks => true;

    public ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken) => ValueTask.FromResult(request.Kind switch
    {
        RequestKind.Transaction => Transact(request),
        RequestKind.Get => Get(request),
        _ => throw new NotSupportedException($"No {request.Kind} over gRPC."),
    });

    public ValueTask DisposeAsync()
    {
        _grpc.Dispose();
        return ValueTask.CompletedTask;
    }

    private Answer Transact(Request request)
    {
        // The reply is one string, and so is the commit's request, under the same number.
        byte[] begun = _grpc.Call("BeginTransaction", []);
        _grpc.Call("Write", [.. begun, .. Field(2, Names.Namespace), .. Field(3, Names.Agent(request.Agent)), .. Field(4, Names.Key(request.Key)), .. Field(5, Struct(request.Value.Span))]);
        _grpc.Call("Commit", begun);
        return new Answer(1, 0);
    }

    private Answer Get(Request request)
    {
        byte[] state = _grpc.Call("GetState", [.. Field(1, Names.Namespace), .. Field(2, Names.Agent(request.Agent)), .. Field(3, Names.Key(request.Key))]);
        // The value is field 1, and comes first where there is one.
        return state is [(1 << 3) | 2, ..]
            ? new Answer(0, 1)
            : throw new InvalidOperationException($"GetState found no {Names.Key(request.Key)} of {Names.Agent(request.Agent)}.");
    }

    /// <summary>{"value": the text}</summary>
    private static byte[] Struct(ReadOnlySpan<byte> json)
    {
        if (json.Length > ValueBytesMax)
            throw new NotSupportedException($"A value of {json.Length} bytes over gRPC; this client takes up to {ValueBytesMax}.");
        return Field(1, [.. Field(1, "value"), .. Field(2, Field(3, json))]);
    }

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    /// <summary>A length-delimited field of less than 16 KiB.</summary>
    private static byte[] Field(int number, ReadOnlySpan<byte> content) => content.Length < 128
        ? [(byte)(number << 3 | 2), (byte)content.Length, .. content]
        : [(byte)(number << 3 | 2), (byte)(content.Length & 127 | 128), (byte)(content.Length >> 7), .. content];
}
