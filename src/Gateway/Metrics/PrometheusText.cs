using System.Globalization;
using System.Text;

namespace Statehouse.Gateway;

/// <summary>Writes the text exposition format: escapes label values and help as it demands.</summary>
internal sealed class PrometheusText
{
    private readonly StringBuilder _text = new();

    public void Header(string name, string help, MetricKind kind)
    {
        _text.Append("# HELP ").Append(name).Append(' ')
            .Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        string type = kind switch
        {
            MetricKind.Counter => "counter",
            MetricKind.Histogram => "histogram",
            _ => "gauge",
        };
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    /// <param name="name">Of the sample.</param>
    /// <param name="labels">As measured.</param>
    /// <param name="upperBound">Value of the label <c>le</c>; null = none.</param>
    /// <param name="value">Of the sample.</param>
    public void Sample(string name, KeyValuePair<string, object?>[] labels, string? upperBound, double value)
    {
        _text.Append(name);
        char separator = '{';
        foreach ((string label, object? labelValue) in labels)
        {
            Label(separator, MetricNames.Sanitised(label), Convert.ToString(labelValue, CultureInfo.InvariantCulture) ?? "");
            separator = ',';
        }
        if (upperBound is not null)
        {
            Label(separator, "le", upperBound);
            separator = ',';
        }
        if (separator == ',')
            _text.Append('}');
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    public override string ToString() => _text.ToString();

    private void Label(char separator, string name, string value) =>
        _text.Append(separator).Append(name).Append("=\"")
            .Append(value.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal))
            .Append('"');
}
