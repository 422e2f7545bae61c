using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Statehouse.Faults.Clients;

/// <summary>What came of one request: a JSON reply with success, or why not.</summary>
/// <param name="Status">0 where there was no whole reply.</param>
/// <param name="Json">The body; undefined where it is empty or no JSON.</param>
/// <param name="IsReplayed">The reply says <c>Idempotent-Replayed: true</c>.</param>
/// <param name="Failure">Null where the status is 2xx.</param>
internal sealed record HttpReply(int Status, JsonElement Json, bool IsReplayed, CallFailure? Failure)
{
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool IsOk => Failure is null;

    public static HttpReply Broken(CallFailure failure) => new(0, default, false, failure);

    public static HttpReply Of(int status, byte[] body, bool isReplayed)
    {
        bool isSuccess = status is >= 200 and < 300;
        if (!TryParse(body, out JsonElement json))
        {
            bool isEmptySuccess = isSuccess && body.Length == 0;
            return new(status, default, isReplayed, isEmptySuccess ? null : new($"http-{status}", true, "The body is no JSON."));
        }
        return new(status, json, isReplayed, isSuccess ? null : FailureOf(status, json));
    }

    /// <summary>What a problem document says.</summary>
    public static CallFailure FailureOf(int status, JsonElement problem)
    {
        string detail = Text(problem, "detail") ?? problem.GetRawText();
        return Text(problem, "code") is { } code
            ? CallFailure.OfCode(code, detail)
            : new CallFailure($"http-{status}", true, detail);
    }

    private static string? Text(JsonElement json, string member) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static bool TryParse(byte[] body, out JsonElement json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            json = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            json = default;
            return false;
        }
    }
}
