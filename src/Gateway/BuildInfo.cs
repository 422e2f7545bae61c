using System.Reflection;

namespace Statehouse.Gateway;

/// <summary>Which build this is, from what the compiler wrote into the assembly: <c>0.1.0+&lt;git sha&gt;</c>.</summary>
internal static class BuildInfo
{
    private static readonly string[] Parts =
        (typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+', 2);

    public static string Version => Parts[0];

    /// <summary>Empty where it was built outside a clone.</summary>
    public static string GitSha => Parts.Length > 1 ? Parts[1] : "";
}
