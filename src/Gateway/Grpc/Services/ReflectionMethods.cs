using Google.Protobuf.Reflection;
using Grpc.Reflection.V1;

namespace Statehouse.Gateway;

/// <summary>Server reflection, v1 and v1alpha: what this server offers, for tools that do not have its <c>.proto</c> files.</summary>
internal sealed class ReflectionMethods(IReadOnlyList<FileDescriptor> files)
{
    public const string Service = "grpc.reflection.v1.ServerReflection";
    public const string AlphaService = "grpc.reflection.v1alpha.ServerReflection";

    public IEnumerable<GrpcMethod> All => [Method(Service), Method(AlphaService)];

    private GrpcMethod Method(string service) =>
        new DialogueMethod<ServerReflectionRequest, ServerReflectionResponse>(
            service, "ServerReflectionInfo", ServerReflectionRequest.Parser, Answer);

    private ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse
                {
                    Service = { files.SelectMany(file => file.Services).Select(service => new ServiceResponse { Name = service.FullName }) },
                };
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                Describe(response, WithImports().FirstOrDefault(file => file.Name == request.FileByFilename), request.FileByFilename);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                Describe(response, WithImports().FirstOrDefault(file => Declares(file, request.FileContainingSymbol)), request.FileContainingSymbol);
                break;
            default:
                Fail(response, GrpcStatus.NotFound, "This server has no extensions.");
                break;
        }
        return response;
    }

    private static void Describe(ServerReflectionResponse response, FileDescriptor? file, string wanted)
    {
        if (file is null)
        {
            Fail(response, GrpcStatus.NotFound, $"{Query.Shown(wanted)} is not known here.");
            return;
        }
        var found = new FileDescriptorResponse();
        foreach (FileDescriptor each in Closure(file))
            found.FileDescriptorProto.Add(each.SerializedData);
        response.FileDescriptorResponse = found;
    }

    private static void Fail(ServerReflectionResponse response, GrpcStatus status, string message) =>
        response.ErrorResponse = new ErrorResponse { ErrorCode = (int)status, ErrorMessage = message };

    private IEnumerable<FileDescriptor> WithImports() => files.SelectMany(Closure).Distinct();

    private static IEnumerable<FileDescriptor> Closure(FileDescriptor file) =>
        file.Dependencies.SelectMany(Closure).Append(file).Distinct();

    private static bool Declares(FileDescriptor file, string symbol) =>
        file.Services.Any(service => service.FullName == symbol || service.Methods.Any(method => method.FullName == symbol))
        || file.EnumTypes.Any(type => type.FullName == symbol)
        || file.MessageTypes.Any(type => Declares(type, symbol));

    private static bool Declares(MessageDescriptor type, string symbol) =>
        type.FullName == symbol
        || type.EnumTypes.Any(inner => inner.FullName == symbol)
        || type.NestedTypes.Any(inner => Declares(inner, symbol));
}
