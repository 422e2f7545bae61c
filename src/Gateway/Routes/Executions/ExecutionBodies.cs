using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Executions;

namespace Statehouse.Gateway;

/// <summary>Reads the bodies that the routes of executions take. Shapes only: what they may hold the executions know.</summary>
internal static class ExecutionBodies
{
    private static readonly MemberSet CreationMembers = new(
        "execution_id", "workflow", "labels", "state", "settings", "max_attempts", "claim");
    private static readonly MemberSet SettingMembers = new("checkpoint_interval", "checkpoint_retention", "recovery_timeout_ms");
    private static readonly MemberSet WorkerMembers = new("worker");
    private static readonly MemberSet ClaimMembers = new("worker", "limit", "workflow", "labels", "lease_ms");
    private static readonly MemberSet CompleteMembers = new("result", "token");
    private static readonly MemberSet FailMembers = new("error", "token");
    private static readonly MemberSet ErrorMembers = new("message", "type", "details");
    private static readonly MemberSet ReasonMembers = new("reason", "token");
    private static readonly MemberSet TokenMembers = new("token");
    private static readonly MemberSet TogetherMembers = new("checkpoints", "idempotency_key");
    private static readonly MemberSet CheckpointMembers = new("execution_id", "step", "state", "token");

    public static async ValueTask<CreationRequest> CreationAsync(Call call, Limits limits)
    {
        string? workflow = null;
        var request = new CreationRequest("");
        await call.ReadMembersAsync(CreationMembers, limits.JsonDepthMax, (ref JsonBody body, int member) =>
        {
            switch (member)
            {
                case 0: request = request with { ExecutionId = body.StringOrNull("execution_id") }; break;
                case 1: workflow = body.String("workflow"); break;
                case 2: request = request with { Labels = Labels(ref body) }; break;
                case 3: request = request with { State = body.Value("state") }; break;
                case 4: request = request with { Settings = Settings(ref body) }; break;
                case 5: request = request with { MaxAttempts = Int(ref body, "max_attempts") ?? request.MaxAttempts }; break;
                case 6: request = request with { Worker = Worker(ref body) }; break;
            }
        });
        return request with { Workflow = workflow ?? throw ExecutionCalls.Missing("workflow") };
    }

    public static async ValueTask<ClaimRequest> ClaimAsync(Call call, Limits limits)
    {
        string? worker = null;
        var request = new ClaimRequest("");
        await call.ReadMembersAsync(ClaimMembers, limits.JsonDepthMax, (ref JsonBody body, int member) =>
        {
            switch (member)
            {
                case 0: worker = body.String("worker"); break;
                case 1: request = request with { Limit = Int(ref body, "limit") ?? 1 }; break;
                case 2: request = request with { Workflow = body.StringOrNull("workflow") }; break;
                case 3: request = request with { Labels = ExecutionIndex.LabelsOf(Labels(ref body)) }; break;
                case 4: request = request with { LeaseMs = body.WholeNumberOrNull("lease_ms") }; break;
            }
        });
        return request with { Worker = worker ?? throw ExecutionCalls.Missing("worker") };
    }

    /// <summary>What a status route's body asks for, and the token in it.</summary>
    public static async ValueTask<(StatusChange Change, long? Token)> ChangeAsync(Call call, ExecutionStatus to, Limits limits)
    {
        var change = new StatusChange(to);
        long? token = null;
        MemberSet members = to switch
        {
            ExecutionStatus.Completed => CompleteMembers,
            ExecutionStatus.Failed => FailMembers,
            ExecutionStatus.Running => TokenMembers,
            _ => ReasonMembers,
        };
        await call.ReadMembersAsync(members, limits.JsonDepthMax, (ref JsonBody body, int member) =>
        {
            switch (members.Names[member])
            {
                case "token": token = body.WholeNumberOrNull("token"); break;
                case "result": change = change with { Result = body.Value("result") }; break;
                case "error": change = change with { Error = Error(ref body) }; break;
                case "reason": change = change with { Reason = body.StringOrNull("reason") }; break;
            }
        });
        if (to == ExecutionStatus.Failed && change.Error.IsAbsent)
            throw ExecutionCalls.Missing("error");
        return (change, token);
    }

    /// <summary>A body that may hold a token alone.</summary>
    public static async ValueTask<long?> TokenAsync(Call call)
    {
        long? token = null;
        await call.ReadMembersAsync(TokenMembers, 1, (ref JsonBody body, int _) => token = body.WholeNumberOrNull("token"));
        return token;
    }

    /// <summary><c>{checkpoints: [{execution_id, step, state, token?}], idempotency_key?}</c></summary>
    public static async ValueTask<(ImmutableArray<CheckpointRequest> Checkpoints, string? IdempotencyKey)> TogetherAsync(Call call, Limits limits)
    {
        var checkpoints = ImmutableArray.CreateBuilder<CheckpointRequest>();
        string? key = null;
        string @namespace = call.Namespace();
        await call.ReadMembersAsync(TogetherMembers, limits.JsonDepthMax, (ref JsonBody body, int member) =>
        {
            if (member == 1)
            {
                key = body.StringOrNull("idempotency_key");
                return;
            }
            body.ExpectArray("checkpoints");
            while (body.NextItem())
                checkpoints.Add(Checkpoint(ref body, $"checkpoints[{checkpoints.Count}]", @namespace));
        });
        return (checkpoints.DrainToImmutable(), key);
    }

    private static CheckpointRequest Checkpoint(ref JsonBody body, string path, string @namespace)
    {
        string? id = null;
        long? step = null;
        long? token = null;
        JsonText state = default;
        body.ExpectObject(path);
        uint seen = 0;
        while (body.NextMember(path, CheckpointMembers, ref seen, out int member))
        {
            switch (member)
            {
                case 0: id = body.String(path + ".execution_id"); break;
                case 1: step = Step(ref body, path + ".step"); break;
                case 2: state = body.Value(path + ".state"); break;
                case 3: token = body.WholeNumberOrNull(path + ".token"); break;
            }
        }
        if (id is null || step is null || state.IsAbsent)
            throw ExecutionCalls.Missing(path + (id is null ? ".execution_id" : step is null ? ".step" : ".state"));
        return new CheckpointRequest(ExecutionKeys.Agent(@namespace, id), step.Value, state, token);
    }

    /// <summary>A step, or null.</summary>
    public static long? Step(ref JsonBody body, string field) =>
        body.WholeNumberOrNull(field) is not { } step ? null
        : step <= StepMark.StepMax ? step
        : throw body.Wrong(field, $"an integer from 0 to {StepMark.StepMax}");

    public static ImmutableArray<KeyValuePair<string, string>> Labels(ref JsonBody body)
    {
        var labels = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        body.ExpectObject("labels");
        while (body.NextName(out string name))
        {
            if (labels.Any(label => label.Key == name))
                throw RefusedException.Invalid("labels." + name, "given once", "given twice");
            labels.Add(KeyValuePair.Create(name, body.String("labels." + name)));
        }
        return labels.DrainToImmutable();
    }

    private static ExecutionSettings Settings(ref JsonBody body)
    {
        ExecutionSettings settings = ExecutionSettings.Default;
        body.ExpectObject("settings");
        uint seen = 0;
        while (body.NextMember("settings", SettingMembers, ref seen, out int member))
        {
            string field = "settings." + SettingMembers.Names[member];
            if (Int(ref body, field) is not { } value)
                continue;
            settings = member switch
            {
                0 => settings with { CheckpointInterval = value },
                1 => settings with { CheckpointRetention = value },
                _ => settings with { RecoveryTimeoutMs = value },
            };
        }
        return settings;
    }

    private static string? Worker(ref JsonBody body)
    {
        if (body.IsNull)
            return null;
        string? worker = null;
        body.ExpectObject("claim");
        uint seen = 0;
        while (body.NextMember("claim", WorkerMembers, ref seen, out _))
            worker = body.String("claim.worker");
        return worker ?? throw ExecutionCalls.Missing("claim.worker");
    }

    /// <summary>Checks the shape and keeps the text as it was written.</summary>
    private static JsonText Error(ref JsonBody body)
    {
        JsonBody ahead = body;
        ahead.ExpectObject("error");
        bool hasMessage = false;
        uint seen = 0;
        while (ahead.NextMember("error", ErrorMembers, ref seen, out int member))
        {
            if (member < 2)
                ahead.String("error." + ErrorMembers.Names[member]);
            else
                ahead.Value("error.details");
            hasMessage |= member == 0;
        }
        return hasMessage ? body.Value("error") : throw ExecutionCalls.Missing("error.message");
    }

    private static int? Int(ref JsonBody body, string field)
    {
        if (body.WholeNumberOrNull(field) is not { } value)
            return null;
        return value <= int.MaxValue ? (int)value : throw body.Wrong(field, $"an integer up to {int.MaxValue}");
    }
}
