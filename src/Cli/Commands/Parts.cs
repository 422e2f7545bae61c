using System.CommandLine;
using System.Globalization;

namespace Statehouse.Cli;

/// <summary>Arguments and options that several commands share: one wording, one check.</summary>
internal static class Parts
{
    public static Argument<string> Agent() => new("AGENT") { Description = "Agent id" };

    public static Argument<string> Key() => new("KEY") { Description = "Key" };

    public static Option<string?> Prefix(string of) => new("--prefix") { Description = $"Only {of} that start with this", HelpName = "TEXT" };

    public static Option<string?> At() => new("--at")
    {
        Description = "As of this time, RFC 3339: 2026-01-31T09:05:00Z",
        HelpName = "TIME",
    };

    public static Option<long?> AtVersion() => Number("--at-version", "As of this agent version", 0);

    /// <summary>An option that takes a whole number from <paramref name="atLeast"/>.</summary>
    public static Option<long?> Number(string name, string description, long atLeast, params string[] aliases)
    {
        var option = new Option<long?>(name, aliases)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= atLeast)
                    return number;
                result.AddError($"{name} must be a whole number from {atLeast}; this is '{text}'.");
                return null;
            },
        };
        return option;
    }

    /// <summary>Refuses options that exclude each other.</summary>
    public static void AtMostOne(Command command, params Option[] options) => command.Validators.Add(result =>
    {
        string[] given = options.Where(option => result.GetResult(option) is { Implicit: false }).Select(option => option.Name).ToArray();
        if (given.Length > 1)
            result.AddError($"{string.Join(" and ", given)} exclude each other.");
    });
}
