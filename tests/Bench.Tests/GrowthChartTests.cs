using System.Xml.Linq;
using Statehouse.Bench.Figures;
using Xunit;

namespace Statehouse.Bench.Tests;

public sealed class GrowthChartTests
{
    [Fact]
    public void A_curve_has_a_point_per_size_and_higher_values_stand_higher()
    {
        XDocument svg = XDocument.Parse(GrowthChart.Draw("a < b & c", "agents", "commits/s", [new(10, 4, 3, 5), new(1_000, 2, 1, 3), new(100_000, 1, 1, 1)]));

        XElement[] points = [.. svg.Descendants().Where(element => element.Name.LocalName == "circle")];
        double[] x = [.. points.Select(point => (double)point.Attribute("cx")!)];
        double[] y = [.. points.Select(point => (double)point.Attribute("cy")!)];
        Assert.Equal(3, points.Length);
        // Each size is a hundred times the one before it: the same step on a logarithmic axis.
        Assert.Equal(x[1] - x[0], x[2] - x[1], tolerance: 0.2);
        Assert.True(y[0] < y[1] && y[1] < y[2], string.Join(", ", y));
    }
}
