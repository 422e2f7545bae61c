using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Letting go of executions, and of their old states.</summary>
internal sealed class RetentionRoutes(ExecutionService executions, Limits limits, TimeProvider clock)
{
    private const long DaysMax = 36_500;
    private static readonly MemberSet CleanupMembers = new("older_than_days", "older_than", "status", "dry_run", "limit");

    public IEnumerable<ApiRoute> Routes =>
    [
        new("POST", ExecutionCalls.All + "/cleanup", CleanUpAsync),
        new("POST", ExecutionCalls.One + "/thin", ThinAsync),
    ];

    private async ValueTask CleanUpAsync(Call call)
    {
        CommitTime? before = null;
        bool isTwice = false;
        var request = new CleanupRequest(call.Namespace(), default, []);
        await call.ReadMembersAsync(CleanupMembers, limits.JsonDepthMax, (ref JsonBody body, int member) =>
        {
            switch (member)
            {
                case 0 or 1:
                    isTwice = before is not null;
                    before = member == 0 ? DaysAgo(ref body) : Moment(ref body);
                    break;
                case 2: request = request with { Statuses = Statuses(ref body) }; break;
                case 3: request = request with { DryRun = body.Flag("dry_run") }; break;
                case 4:
                    long limit = body.WholeNumberOrNull("limit") ?? request.Limit;
                    request = request with { Limit = (int)Math.Min(limit, int.MaxValue) };
                    break;
            }
        });
        if (before is not { } moment || isTwice)
            throw RefusedException.Invalid("older_than", "given, or else older_than_days", before is null ? "neither" : "both");
        CleanupResult result = await executions.CleanUpAsync(request with { Before = moment }, call.Gone);
        call.Json.Raw("{\"matched\":"u8).Number(result.Matched).Raw(",\"removed\":"u8).Number(result.Removed)
            .Raw(",\"dry_run\":"u8).Bool(request.DryRun).Raw(",\"more\":"u8).Bool(result.HasMore).Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask ThinAsync(Call call)
    {
        using (RequestBody body = await call.ReadBodyAsync())
            CommitJson.Nothing(body.Utf8);
        (long thinned, long bytes) = await executions.ThinAsync(call.Execution(), call.Gone);
        call.Json.Raw("{\"thinned\":"u8).Number(thinned).Raw(",\"bytes\":"u8).Number(bytes).Raw("}"u8);
        await call.ReplyAsync();
    }

    private CommitTime DaysAgo(ref JsonBody body)
    {
        const string field = "older_than_days";
        long days = body.WholeNumberOrNull(field) ?? throw ExecutionCalls.Missing(field);
        if (days > DaysMax)
            throw body.Wrong(field, $"an integer from 0 to {DaysMax}");
        return CommitTime.From(clock.GetUtcNow() - TimeSpan.FromDays(days));
    }

    private static CommitTime Moment(ref JsonBody body)
    {
        string text = body.String("older_than");
        return ReadPoints.TryParse(text, out DateTimeOffset time)
            ? CommitTime.From(time)
            : throw RefusedException.Invalid("older_than", ReadPoints.Rfc3339, Query.Shown(text));
    }

    private static ImmutableArray<ExecutionStatus> Statuses(ref JsonBody body)
    {
        var statuses = ImmutableArray.CreateBuilder<ExecutionStatus>();
        body.ExpectArray("status");
        while (body.NextItem())
        {
            string text = body.String("status");
            if (!ExecutionStatuses.TryParse(text, out ExecutionStatus status))
                throw RefusedException.Invalid("status", "one of " + ExecutionStatuses.All, Query.Shown(text));
            statuses.Add(status);
        }
        return statuses.DrainToImmutable();
    }
}
