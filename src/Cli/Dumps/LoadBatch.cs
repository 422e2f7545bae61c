using System.Buffers;
using System.Globalization;
using System.Text;

namespace Statehouse.Cli;

/// <summary>Commits of a dump that become one commit of the target.</summary>
/// <param name="source">Where the commits come from; named in the new commit's metadata.</param>
/// <param name="operationsMax">As many as the target allows in one commit.</param>
/// <param name="oneEach">Every commit stays one of its own, with its own metadata.</param>
internal sealed class LoadBatch(DumpHeader source, int operationsMax, bool oneEach)
{
    /// <summary>Well below what a server takes in one request.</summary>
    private const int BytesMax = 2 * 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _operations = new();
    private int _count;
    private long _fromVersion;
    private string _toHash = "";
    private byte[] _metadata = [];

    public bool IsEmpty => _count == 0;

    /// <summary>The last source version in it.</summary>
    public long ToVersion { get; private set; }

    /// <summary>How many source commits are in it.</summary>
    public long Commits => IsEmpty ? 0 : ToVersion - _fromVersion + 1;

    /// <returns>False where it does not fit any more. A batch takes at least one commit, however large.</returns>
    public bool TryAdd(CommitText commit)
    {
        IReadOnlyList<OperationText> operations = OperationText.Of(commit);
        bool fits = !oneEach && _count + operations.Count <= operationsMax && _operations.WrittenCount + commit.Raw.Length <= BytesMax;
        if (!IsEmpty && !fits)
            return false;
        if (IsEmpty)
            _fromVersion = commit.Version;
        foreach (OperationText operation in operations)
            Add(operation);
        ToVersion = commit.Version;
        _toHash = commit.Hash;
        if (oneEach)
            _metadata = commit.Metadata.ToArray();
        return true;
    }

    /// <summary>The request's body.</summary>
    /// <param name="ifAgentVersion">Where the target stands: nobody else writes in between unnoticed.</param>
    public byte[] ToRequest(long ifAgentVersion)
    {
        var body = new ArrayBufferWriter<byte>(_operations.WrittenCount + 1024);
        body.Write("{\"operations\":["u8);
        body.Write(_operations.WrittenSpan);
        body.Write(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"],\"if_agent_version\":{ifAgentVersion},\"idempotency_key\":\"{new LoadMark(ToVersion, _toHash)}\"")));
        byte[] metadata = oneEach ? _metadata : Encoding.UTF8.GetBytes(Origin());
        if (metadata.Length > 0)
        {
            body.Write(",\"metadata\":"u8);
            body.Write(metadata);
        }
        body.Write("}"u8);
        return body.WrittenSpan.ToArray();
    }

    public void Clear()
    {
        _operations.ResetWrittenCount();
        _count = 0;
    }

    private void Add(OperationText operation)
    {
        _operations.Write(_count++ == 0 ? "{\"op\":"u8 : ",{\"op\":"u8);
        _operations.Write(operation.IsPut ? "\"put\",\"key\":"u8 : "\"delete\",\"key\":"u8);
        _operations.Write(operation.KeyText.Span);
        if (operation.IsPut)
        {
            _operations.Write(",\"value\":"u8);
            _operations.Write(operation.Value.Span);
        }
        _operations.Write("}"u8);
    }

    private string Origin() => string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"loaded_from\":{{\"namespace\":{JsonString.Of(source.Namespace)},\"agent\":{JsonString.Of(source.Agent)},\"from_version\":{_fromVersion},\"to_version\":{ToVersion}}}}}");
}
