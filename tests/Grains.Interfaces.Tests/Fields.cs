using Statehouse.Grains.Interfaces.Wire;

namespace Statehouse.Grains.Tests;

/// <summary>A value's numbered fields alone, without the Orleans message around them.</summary>
internal static class Fields
{
    public static byte[] Of(object value) =>
        value is StatehouseException error ? OfException(error) : (byte[])Call(nameof(OfTyped), value.GetType(), value);

    public static StatehouseException ReadException(byte[] fields)
    {
        var reader = new WireReader(fields, jsonDepthMax: 0);
        return ExceptionFields.Read(ref reader);
    }

    /// <exception cref="System.Reflection.TargetInvocationException">Around what the reader threw.</exception>
    public static object Read(Type type, byte[] fields) => Call(nameof(ReadTyped), type, fields);

    private static object Call(string name, Type type, object argument) =>
        typeof(Fields).GetMethod(name, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(type).Invoke(null, [argument])!;

    private static byte[] OfTyped<T>(T value)
    {
        WireWriter writer = WireWriter.Rent();
        ((ContractType<T>)ContractType.All[typeof(T)]).Write(writer, value);
        byte[] fields = writer.Written.ToArray();
        writer.Return();
        return fields;
    }

    private static byte[] OfException(StatehouseException error)
    {
        WireWriter writer = WireWriter.Rent();
        ExceptionFields.Write(writer, error);
        byte[] fields = writer.Written.ToArray();
        writer.Return();
        return fields;
    }

    private static T ReadTyped<T>(byte[] fields)
    {
        var reader = new WireReader(fields, Limits.Default.JsonDepthMax);
        return ((ContractType<T>)ContractType.All[typeof(T)]).Read(ref reader);
    }
}
