using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// What workloads write: JSON objects that say which call wrote them. Their texts are the same over every protocol: no white space, no number
/// that a double does not hold, no character that one side escapes and another does not.
/// </summary>
internal static class Values
{
    private const int PadCharsMax = 100_000;

    private static readonly string Noise = MakeNoise();

    /// <param name="random">Chooses the size: mostly none, sometimes some KB, rarely 100 KB.</param>
    /// <param name="token">Of the call that writes it.</param>
    /// <param name="members">More members as JSON text, for instance <c>"n":3</c>; empty = none.</param>
    public static string Of(Random random, string token, string members = "")
    {
        int pad = random.Next(1000) switch
        {
            < 850 => 0,
            < 970 => random.Next(1, 200),
            < 999 => random.Next(200, 6000),
            _ => PadCharsMax,
        };
        string more = members.Length == 0 ? "" : "," + members;
        string padding = pad == 0 ? "" : $",\"pad\":\"{Noise.AsSpan(random.Next(0, Noise.Length - pad), pad)}\"";
        return $"{{\"by\":\"{token}\"{more}{padding}}}";
    }

    /// <summary>A whole number in a value.</summary>
    public static long Number(string value, string member)
    {
        using JsonDocument json = JsonDocument.Parse(value);
        return json.RootElement.GetProperty(member).GetInt64();
    }

    public static string Member(string name, long number) => string.Create(CultureInfo.InvariantCulture, $"\"{name}\":{number}");

    private static string MakeNoise()
    {
        // The same in every run; letters of one, two and three bytes of UTF-8.
        const string letters = "abcdefghijklmnopqrstuvwxyz0123456789 .,:;/%éßøж日本語→";
        var random = new Random(20_26);
        var noise = new StringBuilder();
        while (noise.Length < PadCharsMax + 10_000)
            noise.Append(letters[random.Next(letters.Length)]);
        return noise.ToString();
    }
}
