using System.Globalization;
using Microsoft.Extensions.Primitives;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>
/// If-Match and If-None-Match (RFC 9110 section 13) over key versions. The entity tag of a key is its version in
/// quotes: <c>"7"</c>. Lists and weak tags are refused: a version is exact, and one request means one version.
/// </summary>
internal static class Preconditions
{
    private const string OneTag = "* or one strong entity tag: a key version in quotes, like \"7\"";

    public static string EntityTag(KeyVersion version) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{version.Value}\"");

    /// <summary>Puts the headers of a write into its operation.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static Operation Apply(HttpRequest request, Operation operation)
    {
        string? match = Single(request, "If-Match");
        string? noneMatch = Single(request, "If-None-Match");
        if (match is not null && noneMatch is not null)
            throw RefusedException.Invalid("If-None-Match", "absent where If-Match is given", "both");
        if (match == "*")
            return operation with { IfLive = true };
        if (match is not null)
            return operation with { IfVersion = Version("If-Match", match) };
        if (noneMatch is null)
            return operation;
        if (noneMatch != "*" || operation.Kind == OperationKind.Delete)
            throw RefusedException.Invalid(
                "If-None-Match", operation.Kind == OperationKind.Put ? "* on a PUT" : "absent from a DELETE", Query.Shown(noneMatch));
        return operation with { IfLive = false };
    }

    /// <summary>Whether a reader has this version already (304).</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static bool ReaderHas(HttpRequest request, KeyVersion version)
    {
        if (Single(request, "If-None-Match") is not { } tag)
            return false;
        return tag == "*" || Version("If-None-Match", tag) == version;
    }

    private static string? Single(HttpRequest request, string header)
    {
        StringValues values = request.Headers[header];
        return values.Count switch
        {
            0 => null,
            1 => values[0]!.Trim(),
            _ => throw RefusedException.Invalid(header, OneTag, "given several times"),
        };
    }

    private static KeyVersion Version(string header, string tag)
    {
        if (tag.Length > 2 && tag[0] == '"' && tag[^1] == '"' && Query.TryNumber(tag.AsSpan(1, tag.Length - 2), out long version))
            return new KeyVersion(version);
        throw RefusedException.Invalid(header, OneTag, Query.Shown(tag));
    }
}
