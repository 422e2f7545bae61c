using System.Globalization;

namespace Statehouse.Gateway;

/// <summary>
/// Where in a request body the reader stands, as two indices: the text of it is only made when something is refused.
/// </summary>
/// <param name="Commit">Index in <c>commits</c>; -1 = not inside one.</param>
/// <param name="Operation">Index in <c>operations</c>; -1 = not inside one.</param>
internal readonly record struct JsonPath(int Commit, int Operation)
{
    private const int CachedMax = 64;

    /// <summary>The body's outermost object.</summary>
    public static readonly JsonPath Root = new(-1, -1);

    private static readonly string?[] CachedValuePaths = new string?[CachedMax];

    public JsonPath InCommit(int index) => this with { Commit = index };

    public JsonPath InOperation(int index) => this with { Operation = index };

    /// <summary>For instance <c>commits[1].operations[3].key</c>.</summary>
    public string Member(string name)
    {
        string at = ToString();
        return at.Length == 0 ? name : at + "." + name;
    }

    /// <summary>The path of an operation's value: needed for every put, so the usual ones are kept.</summary>
    public string ValueMember()
    {
        if (Commit >= 0 || Operation is < 0 or >= CachedMax)
            return Member("value");
        return CachedValuePaths[Operation] ??= Member("value");
    }

    public override string ToString()
    {
        string commit = Commit < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"commits[{Commit}]");
        if (Operation < 0)
            return commit;
        string dot = commit.Length == 0 ? "" : ".";
        return string.Create(CultureInfo.InvariantCulture, $"{commit}{dot}operations[{Operation}]");
    }
}
