namespace Statehouse.Cli;

/// <summary>What a command ends with. A contract with scripts: docs/cli.md.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The server refused or failed, or what was checked does not hold.</summary>
    public const int Refused = 1;

    /// <summary>The command line, or a file that it names, cannot be used.</summary>
    public const int Usage = 2;

    /// <summary>No answer, or an answer that broke off.</summary>
    public const int Unreachable = 3;

    /// <summary>No such agent, key, version or execution.</summary>
    public const int NotFound = 4;

    /// <summary>Who read our output has gone, as a shell says it: 128 + SIGPIPE.</summary>
    public const int OutputClosed = 141;

    /// <summary>128 and the signal's number is how a shell says which signal ended a program.</summary>
    public const int SignalBase = 128;
}
