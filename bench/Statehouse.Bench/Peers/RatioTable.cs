using System.Globalization;
using System.Text;
using Statehouse.Bench.Measuring;

namespace Statehouse.Bench.Peers;

/// <summary>What one contestant reached in one case.</summary>
/// <param name="Name">The target's.</param>
/// <param name="IsStatehouse">Whether it is what peers are compared with.</param>
/// <param name="Rates">Requests per second, one a round: the rounds of all contestants lie beside each other in time.</param>
internal sealed record ContestantRates(string Name, bool IsStatehouse, IReadOnlyList<double> Rates);

/// <summary>Each Statehouse's rate over each peer's, round by round: what the machine did to both of a round falls out.</summary>
internal static class RatioTable
{
    public const string Unit = "times the peer's rate";

    /// <param name="figure">Its id.</param>
    /// <param name="case">In words, the same for all contestants.</param>
    /// <param name="contestants">With one rate for each round; peers that failed are not among them.</param>
    /// <returns>One ratio for each pair, Statehouse by Statehouse: above 1, Statehouse is the faster.</returns>
    public static IEnumerable<CaseResult> Of(string figure, string @case, IReadOnlyCollection<ContestantRates> contestants) =>
        from ours in contestants.Where(each => each.IsStatehouse)
        from peer in contestants.Where(each => !each.IsStatehouse)
        select CaseResult.Of(figure, Name(ours.Name, peer.Name, @case), Unit, ours.Rates.Zip(peer.Rates, (mine, theirs) => mine / theirs));

    /// <summary>One row for each contestant: its rate, and for each Statehouse what it reached of that.</summary>
    /// <param name="case">As above.</param>
    /// <param name="unit">Of the rates.</param>
    /// <param name="contestants">As above.</param>
    public static string Markdown(string @case, string unit, IReadOnlyCollection<ContestantRates> contestants)
    {
        ContestantRates[] ours = [.. contestants.Where(each => each.IsStatehouse)];
        var text = new StringBuilder($"**{@case}**\n\n| | {unit} |{string.Concat(ours.Select(mine => $" {mine.Name} ÷ it |"))}\n|---|---|{string.Concat(ours.Select(_ => "---|"))}\n");
        foreach (ContestantRates each in contestants)
        {
            string name = each.IsStatehouse ? $"Statehouse, {each.Name}" : each.Name;
            IEnumerable<string> cells = ours.Select(mine => each.IsStatehouse ? "" : Shown(mine.Rates.Zip(each.Rates, (my, its) => my / its)));
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells.Prepend(Shown(each.Rates)).Prepend(name))} |\n");
        }
        return text.ToString();
    }

    public static string Name(string ours, string peer, string @case) => $"{ours} ÷ {peer}; {@case}";

    private static string Shown(IEnumerable<double> values)
    {
        CaseResult all = CaseResult.Of("", "", "", values);
        return $"{Results.Number(all.Median)} ({Results.Number(all.Min)}–{Results.Number(all.Max)})";
    }
}
