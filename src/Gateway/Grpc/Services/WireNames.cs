using System.Text.Unicode;
using Google.Protobuf;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Names as gRPC carries them. What is not UTF-8 is refused, never mended: two names must not become one (I8).</summary>
internal static class WireNames
{
    private const string DefaultNamespace = "default";

    /// <summary>An empty namespace means <c>default</c>; the rest is checked by <see cref="IAgents.Get"/>.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static AgentId Agent(ByteString @namespace, ByteString agent) =>
        new(@namespace.IsEmpty ? DefaultNamespace : Text("namespace", @namespace), Text("agent_id", agent));

    /// <exception cref="RefusedException">SH-1003.</exception>
    public static Key Key(string field, ByteString utf8) =>
        Agents.Key.TryParse(utf8.Span, out Key key) ? key : throw NotUtf8(field);

    /// <summary>No transaction has an id of another form than ours, so such a one is unknown rather than wrong.</summary>
    /// <exception cref="RefusedException">SH-1005.</exception>
    public static Guid Transaction(string text) =>
        Guid.TryParseExact(text, "D", out Guid id)
            ? id
            : throw new RefusedException(ErrorCode.TransactionNotFound, $"Transaction {Query.Shown(text)} is not known here.")
            {
                Details = new Dictionary<string, string> { ["field"] = "txn_id", ["value"] = Query.Shown(text) },
            };

    private static string Text(string field, ByteString utf8) =>
        Utf8.IsValid(utf8.Span) ? utf8.ToStringUtf8() : throw NotUtf8(field);

    private static RefusedException NotUtf8(string field) => RefusedException.Invalid(field, "well-formed UTF-8", "not");
}
