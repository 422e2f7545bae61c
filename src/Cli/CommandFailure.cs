using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>Ends a command: one line on standard error and an exit code.</summary>
/// <param name="exitCode">One of <see cref="ExitCode"/>.</param>
/// <param name="message">For a person; what happened, what was seen, what to do.</param>
/// <param name="inner">Where it comes from.</param>
internal class CommandFailure(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    public static CommandFailure Usage(string message) => new(Cli.ExitCode.Usage, message);

    public static CommandFailure Refused(string message) => new(Cli.ExitCode.Refused, message);
}

/// <summary>Nobody answered, or the answer broke off: worth a retry.</summary>
internal sealed class UnreachableFailure(string message, Exception? inner = null)
    : CommandFailure(Cli.ExitCode.Unreachable, message, inner);

/// <summary>The server answered with an error.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="code">For instance <c>SH-1001</c>; empty where the answer was not one of Statehouse's.</param>
/// <param name="detail">Its own words.</param>
/// <param name="body">The problem as it came (RFC 9457); empty where it was no JSON.</param>
internal sealed class ServerProblem(int status, string code, string detail, byte[] body)
    : CommandFailure(code == NotFoundCode ? Cli.ExitCode.NotFound : Cli.ExitCode.Refused, code.Length > 0 ? $"{code}: {detail}" : detail)
{
    public const string NotFoundCode = "SH-1007";

    public int Status { get; } = status;

    public string Code { get; } = code;

    public byte[] Body { get; } = body;

    /// <summary>A member of the problem's <c>details</c>; null where it has none of that name.</summary>
    public string? Detail(string name)
    {
        try
        {
            using JsonDocument problem = JsonDocument.Parse(Body);
            return problem.RootElement.GetProperty("details").GetProperty(name).GetString();
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // Not of this server, or without details.
            return null;
        }
    }

    /// <summary>The server or its journal is in trouble, not the request: the same request may pass later.</summary>
    public bool MayPassLater => Code.StartsWith("SH-2", StringComparison.Ordinal) || (Code.Length == 0 && Status >= 500);
}
