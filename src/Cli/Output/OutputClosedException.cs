namespace Statehouse.Cli;

/// <summary>Who read our standard output has gone (<c>… | head -1</c>): nobody is left to tell anything.</summary>
internal sealed class OutputClosedException : Exception;
