using System.Globalization;

namespace Statehouse.Faults.Tests.Crashes;

/// <summary>
/// One request of a script: odd steps commit on one agent, even ones on two together, each under an idempotency key of its
/// own. The n-th step of a namespace always says the same, so repeating it is a repeat.
/// </summary>
internal sealed record Step(int Number, string Namespace)
{
    public const string Single = "one";

    /// <summary>In the order in which a transaction takes their turns.</summary>
    public static readonly IReadOnlyList<string> Pair = ["left", "right"];

    // So that a few dozen steps outweigh a snapshot.
    private static readonly string s_padding = new('x', 300);

    public static IReadOnlyList<string> AllAgents { get; } = [Single, .. Pair];

    public bool IsTogether => Number % 2 == 0;

    public IReadOnlyList<string> Agents => IsTogether ? Pair : [Single];

    public string IdempotencyKey => $"step-{Number}";

    public string Path => IsTogether ? "/v1/commits" : $"{PathOf(Namespace, Single)}/commits";

    public string Body => IsTogether
        ? $$"""{"commits":[{{string.Join(',', Pair.Select(agent => $$"""{"namespace":"{{Namespace}}","agent":"{{agent}}","operations":{{Operations}}}"""))}}],"idempotency_key":"{{IdempotencyKey}}"}"""
        : $$"""{"operations":{{Operations}},"idempotency_key":"{{IdempotencyKey}}"}""";

    public static string PathOf(string @namespace, string agent) => $"/v1/namespaces/{@namespace}/agents/{agent}";

    public static Step WithKey(string idempotencyKey, string @namespace) =>
        new(int.Parse(idempotencyKey["step-".Length..], CultureInfo.InvariantCulture), @namespace);

    // Two keys, of which both must be there or none.
    private string Operations =>
        $$"""[{"op":"put","key":"step","value":{{Number}}},{"op":"put","key":"slot-{{Number % 6}}","value":["{{s_padding}}",{{Number}}]}]""";
}

/// <summary>What a step's caller was told of one agent.</summary>
internal sealed record StepReceipt(string Agent, long Version, long CommitTs, string TxnId, string Hash);
