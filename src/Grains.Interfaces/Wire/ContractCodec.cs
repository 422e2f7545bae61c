using System.Collections.Frozen;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Statehouse.Agents;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>
/// The one codec and copier of the contract's records and values. A copy is the same object, since they are immutable.
/// </summary>
/// <remarks>
/// Specializable, not generalized: Orleans then knows which type it reads, so that no type name goes over the wire
/// with every value and no value is boxed.
/// </remarks>
internal sealed class ContractCodec(Limits limits) : ISpecializableCodec, IGeneralizedCopier, IOptionalDeepCopier
{
    private readonly FrozenDictionary<Type, IFieldCodec> _codecs = ContractType.All.ToFrozenDictionary(
        contract => contract.Key, contract => contract.Value.CreateCodec(limits.JsonDepthMax));

    bool ISpecializableCodec.IsSupportedType(Type type) => _codecs.ContainsKey(type);

    public IFieldCodec GetSpecializedCodec(Type type) => _codecs[type];

    bool IGeneralizedCopier.IsSupportedType(Type type) => _codecs.ContainsKey(type);

    public object? DeepCopy(object? input, CopyContext context) => input;

    public bool IsShallowCopyable() => true;
}
