using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Statehouse.Agents;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>What the routes of executions read of their requests alike.</summary>
internal static class ExecutionCalls
{
    public const string All = "/v1/namespaces/{ns}/executions";
    public const string One = All + "/{execution}";

    public const string TokenHeader = "Statehouse-Token";

    public static string Namespace(this Call call) => call.Text("ns", "namespace");

    public static AgentId Execution(this Call call) =>
        ExecutionKeys.Agent(call.Namespace(), call.Text("execution", "execution_id"));

    /// <summary>The fencing token: in the query, a header, or the body; several only where they agree.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static long? Token(this Call call, long? inBody = null)
    {
        long? token = Same(inBody, call.Query.Number("token", 1, long.MaxValue));
        StringValues headers = call.Http.Request.Headers[TokenHeader];
        if (headers.Count == 0)
            return token;
        if (headers.Count > 1 || !Query.TryNumber(headers[0], out long inHeader) || inHeader < 1)
            throw RefusedException.Invalid(TokenHeader, "one integer from 1", Query.Shown(headers.ToString()));
        return Same(token, inHeader);
    }

    /// <exception cref="RefusedException">SH-1003.</exception>
    public static long Step(string field, string text) =>
        Query.TryNumber(text, out long step) && step <= StepMark.StepMax
            ? step
            : throw RefusedException.Invalid(field, $"an integer from 0 to {StepMark.StepMax}", Query.Shown(text));

    /// <exception cref="RefusedException">SH-1003.</exception>
    public static CommitTime? Time(this Call call, string name)
    {
        if (call.Query.Text(name) is not { } text)
            return null;
        return ReadPoints.TryParse(text, out DateTimeOffset time)
            ? CommitTime.From(time)
            : throw RefusedException.Invalid(name, ReadPoints.Rfc3339, Query.Shown(text));
    }

    public delegate void ReadMember(ref JsonBody body, int member);

    /// <summary>Reads the call's body, an object; without one, none of its members is there.</summary>
    /// <exception cref="RefusedException">SH-1003, SH-1004.</exception>
    public static async ValueTask ReadMembersAsync(this Call call, MemberSet members, int depthMax, ReadMember read)
    {
        using RequestBody body = await call.ReadBodyAsync();
        if (body.Utf8.IsEmpty)
            return;
        try
        {
            var json = new JsonBody(body.Utf8, depthMax);
            Members(ref json, JsonPath.Root, members, read);
            json.ExpectEnd();
        }
        catch (JsonException error)
        {
            throw JsonBody.Malformed(error);
        }
    }

    /// <summary>The members of an object inside of a body.</summary>
    public static void Members(ref JsonBody body, JsonPath path, MemberSet members, ReadMember read)
    {
        body.ExpectObject(path);
        uint seen = 0;
        while (body.NextMember(path, members, ref seen, out int member))
            read(ref body, member);
    }

    public static RefusedException Missing(string field) => RefusedException.Invalid(field, "given", "missing");

    private static long? Same(long? one, long? other) =>
        one is not null && other is not null && one != other
            ? throw RefusedException.Invalid("token", "the same wherever it is given", "two different ones")
            : one ?? other;
}
