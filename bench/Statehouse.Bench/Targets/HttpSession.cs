using System.Net;
using System.Text;
using Statehouse.Bench.Load;

namespace Statehouse.Bench.Targets;

/// <summary>One caller of Statehouse over HTTP/1.1.</summary>
internal sealed class HttpSession(IPEndPoint address, AgentPaths paths) : ISession
{
    private const int Created = 201;
    private const int Ok = 200;

    private readonly BlockingHttpClient _http = new(address);
    private readonly MemoryStream _body = new();

    public bool Blocks => true;

    public ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken) => ValueTask.FromResult(Ask(request));

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private Answer Ask(Request request) => request.Kind switch
    {
        RequestKind.Put => Expect(request, $"PUT {paths.Key(request.Agent, request.Key)}", request.Value.Span, new Answer(1, 0)),
        RequestKind.Get => Expect(request, $"GET {paths.Key(request.Agent, request.Key)}", default, new Answer(0, 1)),
        RequestKind.Scan => Scan(request),
        RequestKind.PutMany => Expect(request, $"POST {paths.Agent(request.Agent)}/commits", PutManyBody(request), new Answer(1, 0)),
        RequestKind.PutTogether => Expect(request, "POST /v1/commits", PutTogetherBody(request), new Answer(request.Count, 0)),
        _ => throw new NotSupportedException($"No {request.Kind} over HTTP."),
    };

    private Answer Expect(Request request, string start, ReadOnlySpan<byte> body, Answer answer)
    {
        Send(request, start, body);
        return answer;
    }

    private Answer Scan(Request request)
    {
        ReadOnlySpan<byte> page = Send(request, $"GET {paths.Agent(request.Agent)}/state?limit={request.Count}", default);
        int items = page.Count("\"key\":"u8);
        return items == request.Count
            ? new Answer(0, items)
            : throw new InvalidOperationException($"A page of {request.Count} keys had {items}.");
    }

    private ReadOnlySpan<byte> Send(Request request, string start, ReadOnlySpan<byte> body)
    {
        int status = _http.Send(start, body, out ReadOnlySpan<byte> reply);
        int wanted = request.Kind is RequestKind.Get or RequestKind.Scan ? Ok : Created;
        // A put answers 200 or 201; both say that it is durable.
        if (status != wanted && !(request.Kind == RequestKind.Put && status == Ok))
            throw new InvalidOperationException($"{start} was answered {status}: {Encoding.UTF8.GetString(reply)}");
        return reply;
    }

    private ReadOnlySpan<byte> PutManyBody(Request request)
    {
        Begin("{\"operations\":["u8);
        for (int i = 0; i < request.Count; i++)
            AppendPut(request.Key + i, request.Value, isFirst: i == 0);
        _body.Write("]}"u8);
        return Written;
    }

    private ReadOnlySpan<byte> PutTogetherBody(Request request)
    {
        Begin("{\"commits\":["u8);
        for (int i = 0; i < request.Count; i++)
        {
            _body.Write(Encoding.ASCII.GetBytes(
                $"{(i == 0 ? "" : ",")}{{\"namespace\":\"{Names.Namespace}\",\"agent\":\"{Names.Agent(request.Agent + i)}\",\"operations\":["));
            AppendPut(request.Key, request.Value, isFirst: true);
            _body.Write("]}"u8);
        }
        _body.Write("]}"u8);
        return Written;
    }

    private void Begin(ReadOnlySpan<byte> text)
    {
        _body.SetLength(0);
        _body.Write(text);
    }

    private void AppendPut(int key, ReadOnlyMemory<byte> value, bool isFirst)
    {
        _body.Write(Encoding.ASCII.GetBytes($"{(isFirst ? "" : ",")}{{\"op\":\"put\",\"key\":\"{Names.Key(key)}\",\"value\":"));
        _body.Write(value.Span);
        _body.Write("}"u8);
    }

    private ReadOnlySpan<byte> Written => _body.GetBuffer().AsSpan(0, (int)_body.Length);
}

/// <summary>Paths of agents and keys, made once for those that a load asks for over and over.</summary>
internal sealed class AgentPaths
{
    private const int Kept = 16_384;

    private readonly string?[] _agents = new string?[Kept];
    private readonly string?[] _firstKeys = new string?[Kept];

    public string Agent(int agent) => agent < Kept ? _agents[agent] ??= Make(agent) : Make(agent);

    public string Key(int agent, int key) =>
        key == 0 && agent < Kept ? _firstKeys[agent] ??= MakeKey(agent, key) : MakeKey(agent, key);

    private static string Make(int agent) => $"/v1/namespaces/{Names.Namespace}/agents/{Names.Agent(agent)}";

    private string MakeKey(int agent, int key) => $"{Agent(agent)}/state/{Names.Key(key)}";
}
