using System.Globalization;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>The <c>grpc-timeout</c> header: 1 to 8 digits and one of H, M, S, m, u, n.</summary>
internal static class GrpcTimeout
{
    public const string Header = "grpc-timeout";

    private const int DigitsMax = 8;

    /// <exception cref="RefusedException">SH-1003: not of that form.</exception>
    public static TimeSpan Parse(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan(0, Math.Max(0, text.Length - 1));
        if (digits.Length is 0 or > DigitsMax || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            || Unit(text[^1]) is not { } nanoseconds)
            throw RefusedException.Invalid(Header, "1 to 8 digits and one of H, M, S, m, u, n", Query.Shown(text));
        // Rounded up to what a clock can count: a deadline never comes early.
        return TimeSpan.FromTicks((long)(((Int128)count * nanoseconds + 99) / 100));
    }

    private static long? Unit(char unit) => unit switch
    {
        'H' => 3_600_000_000_000,
        'M' => 60_000_000_000,
        'S' => 1_000_000_000,
        'm' => 1_000_000,
        'u' => 1_000,
        'n' => 1,
        _ => null,
    };
}
