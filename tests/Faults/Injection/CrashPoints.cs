namespace Statehouse.Faults.Injection;

/// <summary>The points at which a server can be told to kill itself.</summary>
internal static class CrashPoints
{
    public static IReadOnlyList<string> OfAServer => [];

    public static IReadOnlyList<string> OfASilo => [];
}
