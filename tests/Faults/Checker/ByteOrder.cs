using System.Text;

namespace Statehouse.Faults.Checker;

/// <summary>Orders keys by the bytes of their UTF-8, which .NET's ordinal order is not where there are surrogates.</summary>
internal sealed class ByteOrder : IComparer<string>
{
    public static readonly ByteOrder Instance = new();

    public int Compare(string? x, string? y) =>
        Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
}
