using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>What stands beside the items of a page: <c>next</c>, <c>agent_version</c>, <c>through</c>.</summary>
internal sealed class PageEnd
{
    private readonly Dictionary<string, string> _members = new(StringComparer.Ordinal);

    public bool HasMore => _members.ContainsKey("next");

    /// <summary>The text of a string, the digits of a number.</summary>
    public string? this[string name]
    {
        get => _members.GetValueOrDefault(name);
        set => _members[name] = value!;
    }
}

/// <summary>
/// Cuts <c>{"items":[…],"next":…}</c> into its items while it arrives: each is the server's own text, byte for byte, and
/// no more than one is held at a time.
/// </summary>
internal sealed class PageReader(Stream body)
{
    private const int BufferBytesMin = 64 * 1024;

    /// <summary>Far beyond what any server's limits allow, so that the depth limit is the server's alone.</summary>
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 100_000 };

    private byte[] _buffer = new byte[BufferBytesMin];
    private int _start;
    private int _end;
    private bool _isWhole;
    private JsonReaderState _state = new(Options);
    private bool _insideItems;
    private bool _done;

    /// <summary>Complete once all items were read.</summary>
    public PageEnd End { get; } = new();

    /// <exception cref="CommandFailure">The answer is no page, or it broke off.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ItemsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (!_done)
        {
            if (TryStep(out ReadOnlyMemory<byte> item))
            {
                if (!item.IsEmpty)
                    yield return item;
                continue;
            }
            if (_isWhole)
                throw new UnreachableFailure("the server's answer ends in the middle");
            await FillAsync(cancellationToken);
        }
    }

    /// <summary>Goes on by one item or member where it is here whole.</summary>
    private bool TryStep(out ReadOnlyMemory<byte> item)
    {
        item = default;
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start.._end), _isWhole, _state);
        try
        {
            bool stepped = _insideItems ? TryItem(ref reader, out item) : TryMember(ref reader);
            if (!stepped)
                return false;
        }
        catch (JsonException error)
        {
            throw CommandFailure.Refused($"the server's answer is not JSON: {error.Message}");
        }
        _start += (int)reader.BytesConsumed;
        _state = reader.CurrentState;
        return true;
    }

    private bool TryItem(ref Utf8JsonReader reader, out ReadOnlyMemory<byte> item)
    {
        item = default;
        if (!reader.Read())
            return false;
        if (reader.TokenType == JsonTokenType.EndArray)
        {
            _insideItems = false;
            return true;
        }
        int from = _start + (int)reader.TokenStartIndex;
        if (!reader.TrySkip())
            return false;
        item = _buffer.AsMemory(from..(_start + (int)reader.BytesConsumed));
        return true;
    }

    private bool TryMember(ref Utf8JsonReader reader)
    {
        if (!reader.Read())
            return false;
        if (reader.TokenType != JsonTokenType.PropertyName)
        {
            _done = reader.TokenType == JsonTokenType.EndObject;
            if (!_done && reader.TokenType != JsonTokenType.StartObject)
                throw CommandFailure.Refused("the server's answer is no page of a list");
            return true;
        }
        string name = reader.GetString()!;
        if (!reader.Read())
            return false;
        if (name == "items" && reader.TokenType == JsonTokenType.StartArray)
        {
            _insideItems = true;
            return true;
        }
        if (!reader.TrySkip())
            return false;
        if (reader.TokenType is JsonTokenType.String)
            End[name] = reader.GetString();
        else if (reader.TokenType is JsonTokenType.Number)
            End[name] = System.Text.Encoding.ASCII.GetString(reader.ValueSpan);
        return true;
    }

    /// <summary>
    /// Fills the whole buffer: what did not fit is then read again only after it has doubled, so that a large item costs
    /// no more than its own size over again.
    /// </summary>
    private async Task FillAsync(CancellationToken cancellationToken)
    {
        int held = _end - _start;
        byte[] target = _start == 0 && held == _buffer.Length ? new byte[_buffer.Length * 2] : _buffer;
        Buffer.BlockCopy(_buffer, _start, target, 0, held);
        _buffer = target;
        _start = 0;
        Memory<byte> room = _buffer.AsMemory(held);
        int read = await body.ReadAtLeastAsync(room, room.Length, throwOnEndOfStream: false, cancellationToken);
        _isWhole = read < room.Length;
        _end = held + read;
    }
}
