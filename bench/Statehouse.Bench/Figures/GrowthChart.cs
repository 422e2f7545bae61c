using System.Globalization;
using System.Text;

namespace Statehouse.Bench.Figures;

/// <param name="Size">Of what grows; above 0.</param>
/// <param name="Median">Over the runs.</param>
/// <param name="Min">Over the runs.</param>
/// <param name="Max">Over the runs.</param>
internal readonly record struct GrowthPoint(double Size, double Median, double Min, double Max);

/// <summary>One curve as an SVG picture: sizes on a logarithmic axis, medians joined, a bar from each minimum to its maximum.</summary>
internal static class GrowthChart
{
    private const int Width = 720, Height = 400, Left = 80, Right = 24, Top = 56, Bottom = 56, Lines = 5;

    /// <param name="title">Above it.</param>
    /// <param name="axis">What grows.</param>
    /// <param name="unit">Of the values.</param>
    /// <param name="points">At least one, sizes ascending.</param>
    public static string Draw(string title, string axis, string unit, IReadOnlyList<GrowthPoint> points)
    {
        double top = RoundUp(points.Max(point => point.Max));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="13">
              <rect width="{Width}" height="{Height}" fill="white"/>
              <text x="{Left}" y="24" font-size="15">{Escaped(title)}</text>
              <text x="{Left}" y="44" fill="#555">{Escaped(unit)}; median, bars from minimum to maximum</text>
              <text x="{(Left + Width - Right) / 2}" y="{Height - 12}" text-anchor="middle">{Escaped(axis)}</text>

            """);
        for (int line = 0; line <= Lines; line++)
        {
            double value = top * line / Lines;
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <line x1="{Left}" x2="{Width - Right}" y1="{Y(value, top)}" y2="{Y(value, top)}" stroke="#ddd"/>
                  <text x="{Left - 8}" y="{Y(value, top) + 4}" text-anchor="end">{Measuring.Results.Number(value)}</text>

                """);
        }
        foreach (GrowthPoint point in points)
        {
            double x = X(point.Size, points);
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <text x="{x}" y="{Height - Bottom + 20}" text-anchor="middle">{point.Size:n0}</text>
                  <line x1="{x}" x2="{x}" y1="{Y(point.Min, top)}" y2="{Y(point.Max, top)}" stroke="#1f6feb" stroke-width="2"/>
                  <circle cx="{x}" cy="{Y(point.Median, top)}" r="4" fill="#1f6feb"/>

                """);
        }
        string curve = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Size, points)},{Y(point.Median, top)}")));
        return svg.Append(CultureInfo.InvariantCulture, $"  <polyline points=\"{curve}\" fill=\"none\" stroke=\"#1f6feb\" stroke-width=\"1.5\"/>\n</svg>\n").ToString();
    }

    private static double X(double size, IReadOnlyList<GrowthPoint> points)
    {
        double first = Math.Log(points[0].Size);
        double range = Math.Max(1e-9, Math.Log(points[^1].Size) - first);
        // Room at both ends for the sizes' texts.
        return Math.Round(Left + 32 + (Math.Log(size) - first) / range * (Width - Left - Right - 72), 1);
    }

    private static double Y(double value, double top) => Math.Round(Height - Bottom - value / top * (Height - Top - Bottom), 1);

    /// <summary>The next of 1, 2, 5, 10, 20, …</summary>
    private static double RoundUp(double value)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 1e-9))));
        return power * ((value / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
    }

    private static string Escaped(string text) => System.Security.SecurityElement.Escape(text);
}
