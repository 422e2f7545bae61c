using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Statehouse.Grains.Tests;

/// <summary>Orleans' own serializer with ours added, without a silo.</summary>
internal static class TestSerializer
{
    public static ServiceProvider Services { get; } = Create();

    public static ServiceProvider Create(Limits? limits = null)
    {
        var services = new ServiceCollection();
        services.AddSerializer();
        services.AddStatehouseSerialization();
        if (limits is not null)
            services.AddSingleton(limits);
        return services.BuildServiceProvider();
    }

    public static Serializer Serializer => Services.GetRequiredService<Serializer>();

    public static T Copy<T>(T value) => Services.GetRequiredService<DeepCopier>().Copy(value)!;

    public static T RoundTrip<T>(T value) => Serializer.Deserialize<T>(Serializer.SerializeToArray(value))!;

    public static T Read<T>(byte[] message) => Serializer.Deserialize<T>(message)!;

    /// <summary>As <see cref="RoundTrip"/> for the value's own type, as a call's argument or answer travels.</summary>
    public static object? RoundTripTyped(object value) =>
        typeof(TestSerializer).GetMethod(nameof(RoundTrip))!.MakeGenericMethod(value.GetType()).Invoke(null, [value]);
}
