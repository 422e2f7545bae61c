using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>One error on the wire.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Ours.</param>
/// <param name="Detail">What happened, for a person.</param>
/// <param name="Details">The particulars, for a program.</param>
internal sealed record Problem(int Status, ErrorCode Code, string Detail, IReadOnlyDictionary<string, string> Details)
{
    /// <summary>Writes further members, each led by a comma.</summary>
    public Action<JsonBuffer>? MoreMembers { get; init; }
}

/// <summary>
/// RFC 9457: <c>{type, title, status, detail, code, request_id, details?}</c>. The type is a path of this server that
/// explains the code.
/// </summary>
internal static class ProblemJson
{
    public const string MediaType = "application/problem+json";

    public static string TypeOf(ErrorCode code) => "/errors/" + code.Text();

    public static void Write(JsonBuffer json, Problem problem, string requestId)
    {
        json.Raw("{\"type\":"u8).String(TypeOf(problem.Code))
            .Raw(",\"title\":"u8).String(ErrorMap.For(problem.Code).Title)
            .Raw(",\"status\":"u8).Number(problem.Status)
            .Raw(",\"detail\":"u8).String(problem.Detail)
            .Raw(",\"code\":"u8).String(problem.Code.Text())
            .Raw(",\"request_id\":"u8).String(requestId);
        if (problem.Details.Count > 0)
            WriteDetails(json, problem.Details);
        problem.MoreMembers?.Invoke(json);
        json.Raw("}"u8);
    }

    private static void WriteDetails(JsonBuffer json, IReadOnlyDictionary<string, string> details)
    {
        json.Raw(",\"details\":{"u8);
        bool first = true;
        foreach ((string name, string value) in details)
        {
            if (!first)
                json.Raw(","u8);
            first = false;
            json.String(name).Raw(":"u8).String(value);
        }
        json.Raw("}"u8);
    }
}
