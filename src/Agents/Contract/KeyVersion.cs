using System.Globalization;

namespace Statehouse.Agents;

/// <summary>Counts the operations ever applied to one key: 1, 2, 3, … A delete counts too (a tombstone). 0 = never written.</summary>
public readonly record struct KeyVersion(long Value) : IComparable<KeyVersion>
{
    public static readonly KeyVersion None = new(0);

    public KeyVersion Next => new(checked(Value + 1));

    public int CompareTo(KeyVersion other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
