using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Reads <c>operations</c>: <c>{op, key, value?, if_version?}</c>, in a transaction also with namespace and agent.</summary>
internal static class OperationJson
{
    // The first four are shared, so that both kinds have one reader.
    private static readonly MemberSet PlainMembers = new("op", "key", "value", "if_version");
    private static readonly MemberSet StagedMembers = new("op", "key", "value", "if_version", "namespace", "agent");

    public static ImmutableArray<Operation> List(ref JsonBody body, JsonPath path)
    {
        body.ExpectArray(path.Member("operations"));
        var operations = ImmutableArray.CreateBuilder<Operation>(1);
        while (body.NextItem())
            operations.Add(One(ref body, path.InOperation(operations.Count), PlainMembers, out _));
        return operations.DrainToImmutable();
    }

    public static ImmutableArray<StagedOperation> StagedList(ref JsonBody body)
    {
        body.ExpectArray("operations");
        var operations = ImmutableArray.CreateBuilder<StagedOperation>(1);
        while (body.NextItem())
        {
            Operation operation = One(ref body, JsonPath.Root.InOperation(operations.Count), StagedMembers, out AgentId? agent);
            operations.Add(new StagedOperation(agent!, operation));
        }
        return operations.DrainToImmutable();
    }

    private static Operation One(ref JsonBody body, JsonPath path, MemberSet members, out AgentId? agent)
    {
        var read = new Members();
        uint seen = 0;
        body.ExpectObject(path);
        while (body.NextMember(path, members, ref seen, out int member))
            ReadMember(ref body, path, member, ref read);
        agent = members == StagedMembers ? read.Agent(path) : null;
        return read.Operation(path);
    }

    private static void ReadMember(ref JsonBody body, JsonPath path, int member, ref Members read)
    {
        switch (member)
        {
            case 0: read.Kind = Kind(ref body, path); break;
            case 1: read.Key = body.Key(path); break;
            case 2: read.Value = body.Value(path.ValueMember()); break;
            case 3:
                read.IfVersion = body.WholeNumberOrNull(path.Member("if_version")) is { } version ? new KeyVersion(version) : null;
                break;
            case 4: read.Namespace = body.String(path.Member("namespace")); break;
            case 5: read.AgentName = body.String(path.Member("agent")); break;
        }
    }

    private static OperationKind Kind(ref JsonBody body, JsonPath path)
    {
        if (body.TextIs(path, "op", "put"u8))
            return OperationKind.Put;
        if (body.TextIs(path, "op", "delete"u8))
            return OperationKind.Delete;
        throw body.Wrong(path.Member("op"), "\"put\" or \"delete\"");
    }

    /// <summary>What was met of one operation so far.</summary>
    private struct Members
    {
        public OperationKind Kind;
        public Key? Key;
        public JsonText Value;
        public KeyVersion? IfVersion;
        public string? Namespace;
        public string? AgentName;

        public readonly Operation Operation(JsonPath path)
        {
            if (Kind == default)
                throw Missing(path, "op");
            if (Key is not { } key)
                throw Missing(path, "key");
            if (Kind == OperationKind.Put && Value.IsAbsent)
                throw Missing(path, "value");
            if (Kind == OperationKind.Delete && !Value.IsAbsent)
                throw RefusedException.Invalid(path.Member("value"), "absent from a delete", "given");
            return new Operation(Kind, key, Value, IfVersion);
        }

        public readonly AgentId Agent(JsonPath path)
        {
            if (Namespace is null)
                throw Missing(path, "namespace");
            if (AgentName is null)
                throw Missing(path, "agent");
            return new AgentId(Namespace, AgentName);
        }

        private static RefusedException Missing(JsonPath path, string member) =>
            RefusedException.Invalid(path.Member(member), "given", "missing");
    }
}
