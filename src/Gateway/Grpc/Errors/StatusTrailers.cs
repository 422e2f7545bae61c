using Google.Protobuf;
using Microsoft.AspNetCore.Http.Features;
using Statehouse.Journal;
using Statehouse.V1;

namespace Statehouse.Gateway;

/// <summary>
/// Ends a reply: <c>grpc-status</c>, and for an error <c>grpc-message</c> and <c>statehouse-error-bin</c>. They stand in
/// the headers where no message was sent ("trailers only"), else behind the last message.
/// </summary>
internal static class StatusTrailers
{
    private const string StatusName = "grpc-status";
    private const string MessageName = "grpc-message";
    private const string ErrorName = "statehouse-error-bin";

    // Clients mostly take 8 KiB of headers in all and drop a reply with more: message + error + their names fit.
    private const int MessageCharsMax = 2048;
    private const int DetailCharsMax = 300;
    private const int ErrorBytesMax = 3072;

    public static void WriteOk(HttpResponse response) => Place(response)[StatusName] = GrpcStatus.Ok.Number();

    public static void Write(HttpResponse response, GrpcProblem problem, string requestId)
    {
        IHeaderDictionary trailers = Place(response);
        trailers[StatusName] = problem.Status.Number();
        trailers[MessageName] = PercentMessage.Encode(problem.Message, MessageCharsMax);
        if (problem.Code is { } code)
            trailers[ErrorName] = Convert.ToBase64String(ErrorOf(problem, code, requestId).ToByteArray()).TrimEnd('=');
    }

    private static IHeaderDictionary Place(HttpResponse response) =>
        response.HasStarted
            ? response.HttpContext.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers
            : response.Headers;

    private static StatehouseError ErrorOf(GrpcProblem problem, Journal.ErrorCode code, string requestId)
    {
        var error = new StatehouseError
        {
            Code = ErrorMap.For(code).WireCode,
            Message = Cut(problem.Message),
            Details = { ["sh_code"] = code.Text(), ["request_id"] = requestId },
        };
        foreach ((string name, string value) in problem.Details)
        {
            error.Details[name] = Cut(value);
            if (error.CalculateSize() > ErrorBytesMax)
                error.Details.Remove(name);
        }
        return error;
    }

    private static string Cut(string text)
    {
        if (text.Length <= DetailCharsMax)
            return text;
        // Never between the two halves of one character.
        int end = char.IsHighSurrogate(text[DetailCharsMax - 1]) ? DetailCharsMax - 1 : DetailCharsMax;
        return text[..end] + "…";
    }
}
