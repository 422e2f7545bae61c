namespace Statehouse.Grains;

/// <summary>
/// What was behind a fault in another process, for people to read: its type may not exist here (a database driver's,
/// say), so only its name, message and stack came along.
/// </summary>
public sealed class RemoteCauseException(string typeName, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The full name of the class that was thrown.</summary>
    public string TypeName { get; } = typeName;

    public override string ToString() => $"{TypeName}: {base.ToString()}";
}
