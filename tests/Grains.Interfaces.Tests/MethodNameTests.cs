using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization.TypeSystem;

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
            ["HoldAsync(HoldRequest)"] = ["4987ADC3", "Hold"],
            ["EndAsync(Guid, HoldEnd)"] = ["C1FA37B1", "End"],
        });

    [Fact]
    public void Calls_of_a_coordinator_keep_their_names() =>
        AssertNames(typeof(ITransactionGrain), new()
        {
            ["CommitTogetherAsync(ImmutableArray`1)"] = ["C6C4E28D", "CommitTogether"],
        });

    [Fact]
    public void A_call_stands_on_the_wire_without_the_name_of_an_assembly()
    {
        Type invokable = Invokables(typeof(IAgentState)).Single(type => Signature(type) == "CommitAsync(CommitRequest)");
        var names = TestSerializer.Services.GetRequiredService<TypeConverter>();
        const string Name = """("inv",[GrainRef],[statehouse.IAgentState],"C3A6E607")""";
        Assert.Equal(Name, names.Format(invokable));
        Assert.Equal(invokable, names.Parse(Name));
    }

    /// <param name="declaring">Who declares the methods.</param>
    /// <param name="expected">The names on the wire of each method that is known so far; there may be more methods.</param>
    private static void AssertNames(Type declaring, Dictionary<string, string[]> expected)
    {
        Dictionary<string, string[]> actual = Invokables(declaring)
            .ToDictionary(Signature, type => Aliases(type).Select(parts => (string)parts[^1]).Order(StringComparer.Ordinal).ToArray());
        foreach ((string method, string[] names) in expected)
            Assert.Equal(names, Assert.Contains(method, (IReadOnlyDictionary<string, string[]>)actual));
    }

    private static IEnumerable<Type> Invokables(Type declaring) => typeof(IAgentStateGrain).Assembly.GetTypes().Where(type =>
        Aliases(type).Any(parts => parts is ["inv", Type proxy, Type by, string] && proxy == typeof(GrainReference) && by == declaring));

    private static IEnumerable<object[]> Aliases(Type invokable) =>
        invokable.GetCustomAttributes<CompoundTypeAliasAttribute>().Select(alias => alias.Components);

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
