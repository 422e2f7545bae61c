using System.Security.Cryptography;
using System.Text;
using Statehouse.Agents;

namespace Statehouse.Executions;

/// <summary>
/// A request under an idempotency key. What it commits depends on where the execution stands, so the commit carries a
/// digest of what was asked, by which a repeat is known for one.
/// </summary>
/// <param name="Key">The caller's.</param>
/// <param name="Metadata"><c>{"request":"&lt;SHA-256&gt;"}</c></param>
public sealed record KeyedRequest(string Key, JsonText Metadata)
{
    /// <param name="key">null = the request carries none.</param>
    /// <param name="what">Which request, with its small parameters.</param>
    /// <param name="content">Its large one.</param>
    public static KeyedRequest? Of(string? key, string what, JsonText content = default)
    {
        if (key is null)
            return null;
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(Encoding.UTF8.GetBytes(what));
        sha.AppendData([0]);
        sha.AppendData(content.Utf8);
        string digest = Convert.ToHexStringLower(sha.GetHashAndReset());
        return new KeyedRequest(key, JsonText.Trusted(Encoding.UTF8.GetBytes($"{{\"request\":\"{digest}\"}}")));
    }
}
