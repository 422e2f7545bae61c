using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>A refusal that only HTTP knows: no such route, wrong method, wrong media type, a request that broke off.</summary>
/// <param name="status">The HTTP status, where it is not the one that <see cref="ErrorMap"/> has for the code.</param>
/// <param name="code">The nearest of our codes.</param>
/// <param name="message">For the caller.</param>
internal sealed class HttpRefusal(int status, ErrorCode code, string message) : StatehouseException(code, message)
{
    public int Status { get; } = status;

    /// <summary>Value of the Allow header on a 405.</summary>
    public string? Allow { get; init; }
}
