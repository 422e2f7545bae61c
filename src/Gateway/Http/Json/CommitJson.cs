using System.Collections.Immutable;
using System.Text.Json;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// Reads the bodies that ask for commits. Shapes only: sizes, counts and meanings are the agents' to check, so that
/// every front end gets the same answers.
/// </summary>
internal static class CommitJson
{
    private static readonly MemberSet OneAgentMembers = new("operations", "if_agent_version", "idempotency_key", "metadata");
    private static readonly MemberSet TogetherMembers = new("commits", "idempotency_key");
    private static readonly MemberSet ShareMembers = new("namespace", "agent", "operations", "if_agent_version");
    private static readonly MemberSet StageMembers = new("operations");
    private static readonly MemberSet BeginMembers = new("timeout_ms");
    private static readonly MemberSet NoMembers = new();

    /// <summary><c>{operations, if_agent_version?, idempotency_key?, metadata?}</c></summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static CommitRequest OneAgent(ReadOnlySpan<byte> utf8, int depthMax)
    {
        try
        {
            var body = new JsonBody(utf8, depthMax);
            CommitRequest request = OneAgent(ref body);
            body.ExpectEnd();
            return request;
        }
        catch (JsonException error)
        {
            throw JsonBody.Malformed(error);
        }
    }

    /// <summary><c>{commits: [{namespace, agent, operations, if_agent_version?}], idempotency_key?}</c></summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static ImmutableArray<AgentCommitRequest> Together(ReadOnlySpan<byte> utf8, int depthMax, string? headerKey)
    {
        try
        {
            var body = new JsonBody(utf8, depthMax);
            ImmutableArray<AgentCommitRequest> commits = Together(ref body, headerKey);
            body.ExpectEnd();
            return commits;
        }
        catch (JsonException error)
        {
            throw JsonBody.Malformed(error);
        }
    }

    /// <summary><c>{operations: [{namespace, agent, op, key, value?, if_version?}]}</c></summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static ImmutableArray<StagedOperation> Staged(ReadOnlySpan<byte> utf8, int depthMax)
    {
        try
        {
            var body = new JsonBody(utf8, depthMax);
            ImmutableArray<StagedOperation> operations = Staged(ref body);
            body.ExpectEnd();
            return operations;
        }
        catch (JsonException error)
        {
            throw JsonBody.Malformed(error);
        }
    }

    /// <summary><c>{timeout_ms?}</c>, or no body at all.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static long? TimeoutMs(ReadOnlySpan<byte> utf8)
    {
        long? timeoutMs = null;
        MembersOrNothing(utf8, BeginMembers, (ref JsonBody body) => timeoutMs = body.WholeNumberOrNull("timeout_ms"));
        return timeoutMs;
    }

    /// <summary>Nothing, or an empty object: many clients send <c>{}</c> where there is nothing to say.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static void Nothing(ReadOnlySpan<byte> utf8) => MembersOrNothing(utf8, NoMembers, (ref JsonBody _) => { });

    private delegate void ReadMember(ref JsonBody body);

    private static void MembersOrNothing(ReadOnlySpan<byte> utf8, MemberSet members, ReadMember read)
    {
        if (utf8.IsEmpty)
            return;
        try
        {
            var body = new JsonBody(utf8, 1);
            body.ExpectObject(JsonPath.Root);
            uint seen = 0;
            while (body.NextMember(JsonPath.Root, members, ref seen, out _))
                read(ref body);
            body.ExpectEnd();
        }
        catch (JsonException error)
        {
            throw JsonBody.Malformed(error);
        }
    }

    private static CommitRequest OneAgent(ref JsonBody body)
    {
        ImmutableArray<Operation> operations = default;
        AgentVersion? ifAgentVersion = null;
        string? idempotencyKey = null;
        JsonText metadata = default;
        uint seen = 0;
        body.ExpectObject(JsonPath.Root);
        while (body.NextMember(JsonPath.Root, OneAgentMembers, ref seen, out int member))
        {
            switch (member)
            {
                case 0: operations = OperationJson.List(ref body, JsonPath.Root); break;
                case 1: ifAgentVersion = AgentVersionOrNull(ref body, JsonPath.Root); break;
                case 2: idempotencyKey = body.StringOrNull("idempotency_key"); break;
                case 3: metadata = body.ObjectOrNull("metadata"); break;
            }
        }
        Require(!operations.IsDefault, "operations");
        return new CommitRequest(operations)
        {
            IfAgentVersion = ifAgentVersion,
            IdempotencyKey = idempotencyKey,
            Metadata = metadata,
        };
    }

    private static ImmutableArray<AgentCommitRequest> Together(ref JsonBody body, string? headerKey)
    {
        ImmutableArray<AgentCommitRequest>.Builder? commits = null;
        string? idempotencyKey = null;
        uint seen = 0;
        body.ExpectObject(JsonPath.Root);
        while (body.NextMember(JsonPath.Root, TogetherMembers, ref seen, out int member))
        {
            if (member == 0)
                commits = Shares(ref body);
            else
                idempotencyKey = body.StringOrNull("idempotency_key");
        }
        Require(commits is not null, "commits");
        if (commits!.Count == 0)
            throw RefusedException.Invalid("commits", "at least one commit", "an empty array");
        idempotencyKey = IdempotencyKeys.Merge(idempotencyKey, headerKey);
        for (int i = 0; i < commits.Count; i++)
            commits[i] = commits[i] with { Commit = commits[i].Commit with { IdempotencyKey = idempotencyKey } };
        return commits.DrainToImmutable();
    }

    private static ImmutableArray<AgentCommitRequest>.Builder Shares(ref JsonBody body)
    {
        var commits = ImmutableArray.CreateBuilder<AgentCommitRequest>();
        var agents = new Dictionary<AgentId, int>();
        body.ExpectArray("commits");
        while (body.NextItem())
        {
            JsonPath path = JsonPath.Root.InCommit(commits.Count);
            AgentCommitRequest share = Share(ref body, path);
            if (!agents.TryAdd(share.Agent, commits.Count))
                throw RefusedException.Invalid(
                    path.Member("agent"), "named in one commit only", $"the agent of commits[{agents[share.Agent]}] again");
            commits.Add(share);
        }
        return commits;
    }

    private static AgentCommitRequest Share(ref JsonBody body, JsonPath path)
    {
        string? ns = null, agent = null;
        ImmutableArray<Operation> operations = default;
        AgentVersion? ifAgentVersion = null;
        uint seen = 0;
        body.ExpectObject(path);
        while (body.NextMember(path, ShareMembers, ref seen, out int member))
        {
            switch (member)
            {
                case 0: ns = body.String(path.Member("namespace")); break;
                case 1: agent = body.String(path.Member("agent")); break;
                case 2: operations = OperationJson.List(ref body, path); break;
                case 3: ifAgentVersion = AgentVersionOrNull(ref body, path); break;
            }
        }
        Require(ns is not null, path.Member("namespace"));
        Require(agent is not null, path.Member("agent"));
        Require(!operations.IsDefault, path.Member("operations"));
        return new AgentCommitRequest(
            new AgentId(ns!, agent!), new CommitRequest(operations) { IfAgentVersion = ifAgentVersion });
    }

    private static ImmutableArray<StagedOperation> Staged(ref JsonBody body)
    {
        ImmutableArray<StagedOperation> operations = default;
        uint seen = 0;
        body.ExpectObject(JsonPath.Root);
        while (body.NextMember(JsonPath.Root, StageMembers, ref seen, out _))
            operations = OperationJson.StagedList(ref body);
        Require(!operations.IsDefault, "operations");
        return operations;
    }

    private static AgentVersion? AgentVersionOrNull(ref JsonBody body, JsonPath path) =>
        body.WholeNumberOrNull(path.Member("if_agent_version")) is { } version ? new AgentVersion(version) : null;

    private static void Require(bool present, string field)
    {
        if (!present)
            throw RefusedException.Invalid(field, "given", "missing");
    }
}
