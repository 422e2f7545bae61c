using System.Reflection;

namespace Statehouse.Grains.Tests;

/// <summary>What calls are named on the wire. A name that is here is never changed: silos of two versions call each other.</summary>
public sealed class MethodNameTests
{
    [Fact]
    public void Calls_of_an_agent_keep_their_names() =>
        AssertNames(typeof(IAgentState), new()
        {
            ["GetHeadAsync(Consistency)"] = ["929B5756"],
            ["GetAsync(GetRequest)"] = ["CAF4929A"],
            ["ScanAsync(ScanRequest)"] = ["7FC34CC4"],
            ["CommitAsync(CommitRequest)"] = ["C3A6E607"],
            ["GetCommitsAsync(HistoryRequest)"] = ["5164D122"],
            ["GetCommitAsync(AgentVersion)"] = ["0810A210"],
            ["ReplayAsync(AgentVersion, Boolean)"] = ["38C39C55"],
            ["ReplayRangeAsync(CommitTs, CommitTs)"] = ["F58EB4A8"],
        });

    [Fact]
    public void Calls_of_a_participant_keep_their_names() =>
        AssertNames(typeof(IAgentParticipantGrain), new()
        {
            ["HoldAsync(HoldRequest)"] = ["88ACB7B0", "Hold"],
            ["EndAsync(Guid, HoldEnd)"] = ["95A7F18A", "End"],
            ["FindTransactionAsync(Guid, AgentVersion)"] = ["DFE31CD4", "FindTransaction"],
            ["CatchUpAsync(AgentVersion)"] = ["CatchUp", "FBB1C5CA"],
        });

    [Fact]
    public void Calls_of_a_coordinator_keep_their_names() =>
        AssertNames(typeof(ITransactionGrain), new()
        {
            ["CommitTogetherAsync(ImmutableArray`1)"] = ["C6C4E28D", "CommitTogether"],
        });

    /// <param name="declaring">Who declares the methods.</param>
    /// <param name="expected">The names on the wire of each method that is known so far; there may be more methods.</param>
    private static void AssertNames(Type declaring, Dictionary<string, string[]> expected)
    {
        Dictionary<string, string[]> actual = typeof(IAgentStateGrain).Assembly.GetTypes()
            .Select(invokable => (invokable, aliases: invokable.GetCustomAttributes<CompoundTypeAliasAttribute>().Select(a => a.Components).ToList()))
            .Where(pair => pair.aliases.Any(parts => parts is ["inv", Type proxy, Type by, string] && proxy == typeof(GrainReference) && by == declaring))
            .ToDictionary(pair => Signature(pair.invokable), pair => pair.aliases.Select(parts => (string)parts[^1]).Order(StringComparer.Ordinal).ToArray());
        foreach ((string method, string[] names) in expected)
            Assert.Equal(names, Assert.Contains(method, (IReadOnlyDictionary<string, string[]>)actual));
    }

    private static string Signature(Type invokable)
    {
        var method = (MethodInfo)invokable.GetField("MethodBackingField", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        IEnumerable<string> parameters = method.GetParameters()
            .Select(p => p.ParameterType)
            .Where(type => type != typeof(CancellationToken))
            .Select(type => type.Name);
        return $"{method.Name}({string.Join(", ", parameters)})";
    }
}
