using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Configuration;
using Orleans.Serialization.Serializers;
using Statehouse.Agents;
using Statehouse.Grains.Interfaces.Wire;

namespace Statehouse.Grains;

public static class StatehouseSerialization
{
    /// <summary>
    /// Teaches Orleans' serializer the contract's records and exceptions. Every silo and every client needs it:
    /// <c>siloBuilder.Services.AddStatehouseSerialization()</c>, <c>clientBuilder.Services.…</c>. Twice is fine.
    /// </summary>
    /// <remarks>
    /// JSON in a commit that comes from another process is checked here, to the depth of the <see cref="Limits"/> that
    /// the container holds (or <see cref="Limits.Default"/>). Within one process no bytes are made: there a value is
    /// trusted to come from <see cref="JsonText.Parse"/>.
    /// </remarks>
    public static IServiceCollection AddStatehouseSerialization(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new ContractCodec(provider.GetService<Limits>() ?? Limits.Default));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISpecializableCodec, ContractCodec>(
            provider => provider.GetRequiredService<ContractCodec>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IGeneralizedCopier, ContractCodec>(
            provider => provider.GetRequiredService<ContractCodec>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISpecializableCodec, ExceptionFieldCodec>());
        return services.Configure<TypeManifestOptions>(NameTypes);
    }

    /// <summary>Names that do not change when a class moves, and the leave to read these types at all.</summary>
    private static void NameTypes(TypeManifestOptions options)
    {
        foreach (ContractType contract in ContractType.All.Values)
            options.WellKnownTypeAliases[contract.Alias] = contract.Type;
        options.WellKnownTypeAliases[ExceptionFieldCodec.Alias] = typeof(ExceptionFieldCodec);
        options.WellKnownTypeAliases["statehouse.IAgentState"] = typeof(IAgentState);
    }
}
