using Google.Protobuf.Reflection;

namespace Statehouse.Grpc.Tests;

/// <summary>The server's own view of the messages against the published one.</summary>
public sealed class WireProtoTests
{
    [Fact]
    public void Every_message_of_the_servers_view_has_the_published_fields_on_the_same_wire()
    {
        Assert.NotEmpty(Gateway.Wire.StatehouseWireReflection.Descriptor.MessageTypes);
        foreach (MessageDescriptor own in Gateway.Wire.StatehouseWireReflection.Descriptor.MessageTypes)
        {
            MessageDescriptor published = V1.StatehouseReflection.Descriptor.MessageTypes.Single(each => each.Name == own.Name);
            Assert.Equal(Shape(published), Shape(own));
        }
    }

    private static IEnumerable<string> Shape(MessageDescriptor message) =>
        message.Fields.InFieldNumberOrder().Select(field => $"{field.FieldNumber} {field.Name} {WireType(field)} repeated={field.IsRepeated}");

    private static string WireType(FieldDescriptor field) =>
        field.FieldType is FieldType.String or FieldType.Bytes or FieldType.Message ? "length-delimited" : field.FieldType.ToString();
}
