using Google.Protobuf;

namespace Statehouse.Gateway;

/// <summary>One method of one service.</summary>
internal abstract class GrpcMethod(string service, string name)
{
    /// <summary>Full name of the service: <c>statehouse.v1.StatehouseService</c>.</summary>
    public string Service { get; } = service;

    /// <summary>As a request's path names it: <c>/statehouse.v1.StatehouseService/Commit</c>.</summary>
    public string Path { get; } = $"/{service}/{name}";

    /// <summary>Answers all but the final status, or throws what <see cref="GrpcProblem"/> knows.</summary>
    public abstract ValueTask HandleAsync(GrpcCall call);
}

/// <summary>One message in, one out.</summary>
/// <param name="service">Full name.</param>
/// <param name="name">Of the method.</param>
/// <param name="parser">Of the request.</param>
/// <param name="answer">Must not touch the call: where the deadline passes, it is left to itself.</param>
internal sealed class UnaryMethod<TRequest, TReply>(
    string service, string name, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, ValueTask<TReply>> answer)
    : GrpcMethod(service, name)
    where TRequest : class, IMessage<TRequest>
    where TReply : class, IMessage<TReply>
{
    public override async ValueTask HandleAsync(GrpcCall call)
    {
        TRequest request = await call.Requests.ReadOnlyOneAsync(parser, call.Ending);
        TReply reply = await call.WithinDeadlineAsync(answer(request, call.Ending));
        await call.Replies.WriteAsync(reply, call.Ending);
    }
}

/// <summary>One message in, any number out.</summary>
/// <param name="service">Full name.</param>
/// <param name="name">Of the method.</param>
/// <param name="parser">Of the request.</param>
/// <param name="answer">Writes to the call's replies.</param>
internal sealed class StreamingMethod<TRequest>(
    string service, string name, MessageParser<TRequest> parser, Func<TRequest, GrpcCall, ValueTask> answer)
    : GrpcMethod(service, name)
    where TRequest : class, IMessage<TRequest>
{
    public override async ValueTask HandleAsync(GrpcCall call)
    {
        call.BecomeStream();
        TRequest request = await call.Requests.ReadOnlyOneAsync(parser, call.Ending);
        call.Requests.GiveBack();
        await call.Replies.StartAsync();
        await answer(request, call);
    }
}

/// <summary>Any number in, one out for each, in order.</summary>
/// <param name="service">Full name.</param>
/// <param name="name">Of the method.</param>
/// <param name="parser">Of a request.</param>
/// <param name="answer">One request.</param>
internal sealed class DialogueMethod<TRequest, TReply>(
    string service, string name, MessageParser<TRequest> parser, Func<TRequest, TReply> answer)
    : GrpcMethod(service, name)
    where TRequest : class, IMessage<TRequest>
    where TReply : class, IMessage<TReply>
{
    public override async ValueTask HandleAsync(GrpcCall call)
    {
        call.BecomeStream();
        while (await call.Requests.ReadAsync(parser, call.Ending) is { } request)
        {
            await call.Replies.WriteAsync(answer(request), call.Ending);
            await call.Replies.FlushAsync(call.Ending);
        }
    }
}
