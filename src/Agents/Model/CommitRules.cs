using System.Collections.Immutable;
using System.Text;
using Statehouse.Journal;

namespace Statehouse.Agents.Model;

/// <summary>What a request must satisfy whatever the state is: sizes, counts, well-formedness (I9).</summary>
internal static class CommitRules
{
    /// <exception cref="RefusedException">SH-1003 or SH-1004, naming the field, the limit and the value seen.</exception>
    public static void Check(CommitRequest request, Limits limits)
    {
        if (request.Operations.IsDefaultOrEmpty)
            throw RefusedException.Invalid("operations", "at least one operation", "none");
        AtMost("operations", nameof(limits.OperationsPerCommitMax), limits.OperationsPerCommitMax, request.Operations.Length);
        CheckIdempotencyKey(request.IdempotencyKey, limits);
        AtMost("metadata", nameof(limits.MetadataBytesMax), limits.MetadataBytesMax, request.Metadata.Length);
        if (!request.Metadata.IsAbsent && request.Metadata.Utf8[0] != (byte)'{')
            throw RefusedException.Invalid("metadata", "a JSON object", "another kind of value");

        long bytes = request.Metadata.Length;
        for (int i = 0; i < request.Operations.Length; i++)
        {
            CheckOperation(request.Operations[i], i, limits);
            bytes += request.Operations[i].Key.Length + request.Operations[i].Value.Length;
        }
        AtMost("commit", nameof(limits.CommitBytesMax), limits.CommitBytesMax, bytes);
    }

    /// <summary>What the commits of one transaction over several agents must satisfy, each alone and all together.</summary>
    /// <exception cref="RefusedException">SH-1003 or SH-1004, naming the field, the limit and the value seen.</exception>
    public static void CheckTogether(ImmutableArray<AgentCommitRequest> commits, Limits limits)
    {
        if (commits.IsDefaultOrEmpty)
            throw RefusedException.Invalid("commits", "at least one commit", "none");
        var seen = new HashSet<AgentId>();
        int operations = 0;
        foreach (AgentCommitRequest commit in commits)
        {
            CheckAgent(commit.Agent, limits);
            if (!commit.IsReadOnly)
                Check(commit.Commit, limits);
            operations += commit.IsReadOnly ? 0 : commit.Commit.Operations.Length;
            if (!seen.Add(commit.Agent))
                throw RefusedException.Invalid("commits", "at most one commit per agent", $"two for {commit.Agent}");
            if (!commit.IsReadOnly && commit.Commit.IdempotencyKey != commits[0].Commit.IdempotencyKey)
                throw RefusedException.Invalid("idempotency_key", "the same for all agents of a transaction", "different ones");
        }
        if (operations == 0)
            throw RefusedException.Invalid("operations", "at least one operation", "none");
        AtMost("operations", nameof(limits.OperationsPerCommitMax), limits.OperationsPerCommitMax, operations);
    }

    public static void CheckOperation(Operation operation, int index, Limits limits)
    {
        // Looked at first, named only where something is wrong: the names are texts that nearly no operation needs.
        if (!IsKey(operation.Key, limits))
            CheckKey(operation.Key, $"operations[{index}].key", limits);
        if (operation.Value.Length > limits.ValueBytesMax)
            AtMost($"operations[{index}].value", nameof(limits.ValueBytesMax), limits.ValueBytesMax, operation.Value.Length);
        bool isPut = operation.Kind switch
        {
            OperationKind.Put => true,
            OperationKind.Delete => false,
            _ => throw RefusedException.Invalid($"operations[{index}].op", "put or delete", operation.Kind.ToString()),
        };
        if (isPut == operation.Value.IsAbsent)
            throw RefusedException.Invalid($"operations[{index}].value", isPut ? "given with a put" : "absent with a delete", isPut ? "absent" : "given");
        if (operation.IfVersion is { Value: < 0 } version)
            throw RefusedException.Invalid($"operations[{index}].if_version", "0 or more", version.ToString());
    }

    public static void CheckKey(Key key, string field, Limits limits)
    {
        if (IsKey(key, limits))
            return;
        if (key.Length == 0)
            throw RefusedException.Invalid(field, $"1..{limits.KeyBytesMax} bytes of UTF-8", "empty");
        AtMost(field, nameof(limits.KeyBytesMax), limits.KeyBytesMax, key.Length);
        throw RefusedException.Invalid(field, "text without the NUL character", "text with one");
    }

    public static void CheckAgent(AgentId agent, Limits limits)
    {
        CheckName("namespace", agent.Namespace, nameof(limits.NamespaceBytesMax), limits.NamespaceBytesMax);
        CheckName("agent", agent.Name, nameof(limits.AgentIdBytesMax), limits.AgentIdBytesMax);
    }

    public static void CheckNamespace(string @namespace, Limits limits) =>
        CheckName("namespace", @namespace, nameof(limits.NamespaceBytesMax), limits.NamespaceBytesMax);

    public static void CheckPageLimit(int limit, Limits limits)
    {
        if (limit < 1 || limit > limits.PageMax)
            throw RefusedException.Invalid("limit", $"1..{limits.PageMax}", limit.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public static void CheckIdempotencyKey(string? key, Limits limits)
    {
        if (key is not null)
            CheckName("idempotency_key", key, nameof(limits.IdempotencyKeyBytesMax), limits.IdempotencyKeyBytesMax);
    }

    public static void AtMost(string field, string limitName, long limit, long seen)
    {
        if (seen > limit)
            throw RefusedException.OverLimit(field, SettingName(limitName), limit, seen);
    }

    private static bool IsKey(Key key, Limits limits) =>
        key.Length > 0 && key.Length <= limits.KeyBytesMax && !key.Utf8.Contains((byte)0);

    private static void CheckName(string field, string name, string limitName, int bytesMax)
    {
        if (name.Length == 0)
            throw RefusedException.Invalid(field, $"1..{bytesMax} bytes of UTF-8", "empty");
        if (name.Contains('\0', StringComparison.Ordinal))
            throw RefusedException.Invalid(field, "text without the NUL character", "text with one");
        if (!IsWellFormed(name))
            throw RefusedException.Invalid(field, "well-formed Unicode", "text with an unpaired surrogate");
        AtMost(field, limitName, bytesMax, Encoding.UTF8.GetByteCount(name));
    }

    private static bool IsWellFormed(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return true;
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }
        return true;
    }

    /// <summary><c>KeyBytesMax</c> → <c>key_bytes_max</c>, as settings spell it.</summary>
    private static string SettingName(string limitName) =>
        string.Concat(limitName.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));
}
