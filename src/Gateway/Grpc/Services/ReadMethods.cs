using Google.Protobuf;
using Statehouse.Agents;
using Statehouse.Gateway.Wire;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>The methods that read one agent.</summary>
internal sealed class ReadMethods(IAgents agents, Limits limits)
{
    public IEnumerable<GrpcMethod> All(string service) =>
    [
        new UnaryMethod<GetStateRequest, GetStateResponse>(service, "GetState", GetStateRequest.Parser, GetAsync),
        new UnaryMethod<GetStateAtVersionRequest, GetStateResponse>(service, "GetStateAtVersion", GetStateAtVersionRequest.Parser, GetAtVersionAsync),
        new UnaryMethod<ListKeysRequest, ListKeysResponse>(service, "ListKeys", ListKeysRequest.Parser, ListKeysAsync),
        new UnaryMethod<ScanPrefixRequest, ScanPrefixResponse>(service, "ScanPrefix", ScanPrefixRequest.Parser, ScanAsync),
    ];

    private async ValueTask<GetStateResponse> GetAsync(GetStateRequest request, CancellationToken cancellationToken)
    {
        IAgentState agent = agents.Get(WireNames.Agent(request.Namespace, request.AgentId));
        return ReplyOf(await agent.GetAsync(new GetRequest(WireNames.Key("key", request.Key)), cancellationToken));
    }

    private async ValueTask<GetStateResponse> GetAtVersionAsync(GetStateAtVersionRequest request, CancellationToken cancellationToken)
    {
        IAgentState agent = agents.Get(WireNames.Agent(request.Namespace, request.AgentId));
        var version = new KeyVersion((long)Math.Min(request.Version, long.MaxValue));
        var wanted = new GetRequest(WireNames.Key("key", request.Key), ReadPoint.AtKeyVersion(version));
        return ReplyOf(await agent.GetAsync(wanted, cancellationToken));
    }

    private async ValueTask<ListKeysResponse> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken)
    {
        var reply = new ListKeysResponse();
        long bytes = 0;
        await foreach (KeyState key in ScanAsync(WireNames.Agent(request.Namespace, request.AgentId), default, keysOnly: true, cancellationToken))
        {
            reply.Keys.Add(UnsafeByteOperations.UnsafeWrap(key.Key.Memory));
            CheckReplySize(bytes += key.Key.Length);
        }
        return reply;
    }

    private async ValueTask<ScanPrefixResponse> ScanAsync(ScanPrefixRequest request, CancellationToken cancellationToken)
    {
        var reply = new ScanPrefixResponse();
        Key prefix = WireNames.Key("prefix", request.Prefix);
        long bytes = 0;
        await foreach (KeyState key in ScanAsync(WireNames.Agent(request.Namespace, request.AgentId), prefix, keysOnly: false, cancellationToken))
        {
            ByteString value = StructOf(key.Value);
            reply.Entries.Add(new StateEntry
            {
                Key = UnsafeByteOperations.UnsafeWrap(key.Key.Memory),
                Value = value,
                Version = (ulong)key.Version.Value,
                CommitTs = (ulong)key.CommitTs.Value,
            });
            CheckReplySize(bytes += key.Key.Length + value.Length);
        }
        return reply;
    }

    /// <summary>All pages of one agent version.</summary>
    private async IAsyncEnumerable<KeyState> ScanAsync(
        AgentId id, Key prefix, bool keysOnly, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IAgentState agent = agents.Get(id);
        var request = new ScanRequest(prefix, default, limits.PageMax, keysOnly);
        while (true)
        {
            ScanPage page = await agent.ScanAsync(request, cancellationToken);
            foreach (KeyState key in page.Items)
                yield return key;
            if (!page.HasMore)
                yield break;
            request = request with { After = page.Items[^1].Key, At = ReadPoint.AtVersion(page.AgentVersion) };
        }
    }

    /// <summary>Ends a scan that no reply can hold before it has gathered all of it.</summary>
    private static void CheckReplySize(long bytes)
    {
        if (bytes > MessageWriter.ReplyBytesMax)
            throw MessageWriter.ReplyTooLarge();
    }

    private static GetStateResponse ReplyOf(KeyState state)
    {
        var reply = new GetStateResponse
        {
            Version = (ulong)state.Version.Value,
            CommitTs = (ulong)state.CommitTs.Value,
            Exists = state.Exists,
        };
        if (state.Exists)
            reply.Value = StructOf(state.Value);
        return reply;
    }

    private static ByteString StructOf(JsonText value)
    {
        using var output = new ProtoBuffer();
        StructWriter.Write(output, value.Utf8);
        return UnsafeByteOperations.UnsafeWrap(output.WrittenSpan.ToArray());
    }
}
