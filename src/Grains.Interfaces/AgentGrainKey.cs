using System.Buffers;
using System.Globalization;
using System.Text;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// An agent's identity as a grain key and back, one key for each identity (I8): <c>default/ada</c> for an ordinary
/// agent, <c>execution/default/run-7</c> for another kind. Keys are stored (reminders, directory): never change them.
/// </summary>
/// <remarks>
/// Namespace and agent id stand as they are, but for what would make two identities meet, or what Orleans or a table
/// might not carry: the separator <c>/</c>, <c>%</c>, <c>+</c> (Orleans' separator of compound keys), white space and
/// control characters become <c>%XX</c> or <c>%uXXXX</c>, their UTF-16 code unit in upper-case hexadecimal; so do unpaired
/// surrogates, which UTF-8 cannot express and which would all turn into the same replacement character.
/// A key takes up to three times the identity's bytes, the separator and the kind: 1,931 bytes at the default limits.
/// </remarks>
public static class AgentGrainKey
{
    private const string ExecutionPrefix = "execution/";
    private const string ExecutionSnapshotPrefix = "snapshot/";

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@!$&'()*,;=");

    /// <exception cref="ArgumentOutOfRangeException">A kind that this build does not know.</exception>
    public static string Of(AgentId agent)
    {
        // Nearly all identities need no escape; each call of a grain passes here.
        if (agent.Kind == AgentKind.Agent && IsPlain(agent.Namespace) && IsPlain(agent.Name))
            return string.Concat(agent.Namespace, "/", agent.Name);
        var key = new StringBuilder(agent.Namespace.Length + agent.Name.Length + 1);
        key.Append(agent.Kind switch
        {
            AgentKind.Agent => "",
            AgentKind.Execution => ExecutionPrefix,
            AgentKind.ExecutionSnapshot => ExecutionSnapshotPrefix,
            _ => throw new ArgumentOutOfRangeException(nameof(agent), agent.Kind, "There is no grain key for this kind of agent."),
        });
        AppendEscaped(key, agent.Namespace);
        key.Append('/');
        AppendEscaped(key, agent.Name);
        return key.ToString();
    }

    /// <exception cref="RefusedException">SH-1003. Not a key that <see cref="Of"/> makes.</exception>
    public static AgentId Parse(string key)
    {
        AgentId? agent = key.Split('/') switch
        {
            [var @namespace, var name] => Unescape(AgentKind.Agent, @namespace, name),
            [var kind, var @namespace, var name] when kind + "/" == ExecutionPrefix => Unescape(AgentKind.Execution, @namespace, name),
            [var kind, var @namespace, var name] when kind + "/" == ExecutionSnapshotPrefix => Unescape(AgentKind.ExecutionSnapshot, @namespace, name),
            _ => null,
        };
        // A second spelling of the same identity would be a second grain on one journal.
        if (agent is null || Of(agent) != key)
            throw RefusedException.Invalid("grain key", "namespace/agent with %XX escapes, as AgentGrainKey.Of writes it", $"\"{key}\"");
        return agent;
    }

    private static bool IsPlain(string part) => part.AsSpan().IndexOfAnyExcept(Plain) < 0;

    private static void AppendEscaped(StringBuilder key, string part)
    {
        for (int i = 0; i < part.Length; i++)
        {
            char c = part[i];
            if (char.IsHighSurrogate(c) && i + 1 < part.Length && char.IsLowSurrogate(part[i + 1]))
                key.Append(c).Append(part[++i]);
            else if (c is not ('/' or '%' or '+') && !char.IsControl(c) && !char.IsWhiteSpace(c) && !char.IsSurrogate(c))
                key.Append(c);
            else
                key.Append(c <= 0xFF ? "%" : "%u").Append(((int)c).ToString(c <= 0xFF ? "X2" : "X4", CultureInfo.InvariantCulture));
        }
    }

    private static AgentId? Unescape(AgentKind kind, string @namespace, string name) =>
        Unescape(@namespace) is { } plainNamespace && Unescape(name) is { } plainName ? new AgentId(kind, plainNamespace, plainName) : null;

    /// <returns>Null where an escape is malformed.</returns>
    private static string? Unescape(string part)
    {
        if (!part.Contains('%', StringComparison.Ordinal))
            return part;
        var plain = new StringBuilder(part.Length);
        for (int i = 0; i < part.Length; i++)
        {
            if (part[i] != '%')
            {
                plain.Append(part[i]);
                continue;
            }
            (int start, int digits) = i + 1 < part.Length && part[i + 1] == 'u' ? (i + 2, 4) : (i + 1, 2);
            if (start + digits > part.Length
                || !ushort.TryParse(part.AsSpan(start, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit))
                return null;
            plain.Append((char)unit);
            i = start + digits - 1;
        }
        return plain.ToString();
    }
}
