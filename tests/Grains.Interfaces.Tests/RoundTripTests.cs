using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Serializers;
using Statehouse.Grains.Interfaces.Wire;

namespace Statehouse.Grains.Tests;

public sealed class RoundTripTests
{
    private static readonly Type[] Interfaces =
        [typeof(IAgentState), typeof(IAgentStateGrain), typeof(IAgentParticipantGrain), typeof(ITransactionGrain)];

    public static IEnumerable<TheoryDataRow<string>> Names => Samples.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void What_arrives_is_what_was_sent(string name)
    {
        object sent = Samples.All[name];
        Assert.Equal(Description.Of(sent), Description.Of(TestSerializer.RoundTripTyped(sent)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_arrives_in_a_field_of_no_certain_type_has_the_type_it_was_sent_with(string name)
    {
        object sent = Samples.All[name];
        object arrived = TestSerializer.RoundTrip<object>(sent);
        Assert.Equal(sent.GetType(), arrived.GetType());
        Assert.Equal(Description.Of(sent), Description.Of(arrived));
    }

    [Fact]
    public void A_copy_is_the_same_object()
    {
        foreach (object value in Samples.All.Values.Where(value => !value.GetType().IsValueType))
            Assert.Same(value, TestSerializer.Copy(value));
    }

    [Fact]
    public void Orleans_knows_that_nothing_needs_copying() =>
        Assert.All(ContractType.All.Keys, type =>
        {
            var provider = TestSerializer.Services.GetRequiredService<IDeepCopierProvider>();
            object copier = provider.GetType().GetMethods()
                .Single(m => m.Name == nameof(IDeepCopierProvider.GetDeepCopier) && m.IsGenericMethod)
                .MakeGenericMethod(type).Invoke(provider, [])!;
            Assert.True(((IOptionalDeepCopier)copier).IsShallowCopyable(), type.Name);
        });

    [Fact]
    public void Every_type_has_a_sample_with_all_its_fields_set()
    {
        foreach (ContractType contract in ContractType.All.Values)
            Assert.Contains(Samples.All.Values, value => value.GetType() == contract.Type && HasAllFields(value));
    }

    [Fact]
    public void Every_type_that_a_call_carries_is_known()
    {
        IEnumerable<Type> carried = Interfaces
            .SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType))
            .SelectMany(Inside)
            .Where(type => type.Namespace!.StartsWith("Statehouse", StringComparison.Ordinal) && !type.IsEnum)
            .Distinct();
        Assert.All(carried, type => Assert.Contains(type, ContractType.All.Keys));
    }

    [Fact]
    public void Every_type_inside_a_known_one_is_known_too() =>
        Assert.All(
            ContractType.All.Keys
                .SelectMany(type => type.GetProperties(BindingFlags.Instance | BindingFlags.Public))
                .Where(property => property.SetMethod is not null)
                .SelectMany(property => Inside(property.PropertyType))
                .Where(type => type.Namespace!.StartsWith("Statehouse", StringComparison.Ordinal) && !type.IsEnum),
            type => Assert.Contains(type, ContractType.All.Keys));

    [Fact]
    public void Every_type_in_a_signature_has_an_Orleans_codec_and_copier()
    {
        var codecs = TestSerializer.Services.GetRequiredService<ICodecProvider>();
        Assert.All(
            Interfaces.SelectMany(type => type.GetMethods()).SelectMany(method => method.GetParameters()).Select(p => p.ParameterType),
            type =>
            {
                if (type == typeof(CancellationToken))
                    return;
                Assert.NotNull(codecs.TryGetCodec(type));
                Assert.NotNull(codecs.TryGetDeepCopier(type));
            });
    }

    [Fact]
    public void Arrays_of_records_arrive_whole()
    {
        ImmutableArray<AgentCommitRequest> sent =
            [(AgentCommitRequest)Samples.All["AgentCommitRequest.full"], (AgentCommitRequest)Samples.All["AgentCommitRequest.reads-only"]];
        Assert.Equal(Description.Of(sent), Description.Of(TestSerializer.RoundTrip(sent)));
    }

    [Fact]
    public void The_same_object_twice_in_one_message_arrives_twice()
    {
        var state = (KeyState)Samples.All["KeyState.full"];
        object?[] arrived = TestSerializer.RoundTrip<object?[]>([state, null, state, "after"]);
        Assert.Equal(Description.Of(new object?[] { state, null, state, "after" }), Description.Of(arrived));
    }

    [Fact]
    public void No_commit_arrives_as_no_commit() => Assert.Null(TestSerializer.RoundTrip<JournalCommit?>(null));

    [Fact]
    public void A_name_that_UTF8_cannot_express_is_refused_instead_of_becoming_another()
    {
        RefusedException refusal = Assert.Throws<RefusedException>(() => TestSerializer.RoundTrip(new AgentId("default", "a\uD800")));
        Assert.Equal(ErrorCode.InvalidArgument, refusal.Code);
        Assert.Equal("agent", refusal.Details["field"]);
    }

    private static IEnumerable<Type> Inside(Type type) =>
        type.IsArray ? Inside(type.GetElementType()!)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Inside)
        : [type];

    /// <summary>A receipt's or hold's optional halves exclude each other: those count as set where one is.</summary>
    private static bool HasAllFields(object value) =>
        value is HeldAgent || value.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => property.SetMethod is not null)
            .All(property => Description.Of(property.GetValue(value)) is not ("null" or "[]" or "[default]" or "json " or "key "));
}
