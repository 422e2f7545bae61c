using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>One operation of a commit, its key and value also as the text that they are.</summary>
/// <param name="IsPut">Else a delete.</param>
/// <param name="Key">Which key.</param>
/// <param name="KeyText">The JSON string's text.</param>
/// <param name="Value">The value's text; empty for a delete.</param>
/// <param name="Version">The key version that it made.</param>
internal readonly record struct OperationText(
    bool IsPut, string Key, ReadOnlyMemory<byte> KeyText, ReadOnlyMemory<byte> Value, long Version)
{
    /// <summary>The operations of a commit, in order.</summary>
    /// <exception cref="CommandFailure">They are not what a commit holds.</exception>
    public static IReadOnlyList<OperationText> Of(CommitText commit)
    {
        try
        {
            return Read(commit.Operations);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw CommandFailure.Refused($"the operations of version {commit.Version} cannot be read: {error.Message}");
        }
    }

    private static List<OperationText> Read(ReadOnlyMemory<byte> text)
    {
        var operations = new List<OperationText>();
        var reader = new Utf8JsonReader(text.Span, new JsonReaderOptions { MaxDepth = 100_000 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            operations.Add(ReadOne(text, ref reader));
        return operations;
    }

    private static OperationText ReadOne(ReadOnlyMemory<byte> text, ref Utf8JsonReader reader)
    {
        OperationText operation = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            JsonTokenType kind = reader.TokenType;
            reader.Skip();
            ReadOnlyMemory<byte> raw = text[start..(int)reader.BytesConsumed];
            operation = name switch
            {
                "op" => operation with { IsPut = IsPutNamed(reader.GetString()) },
                "key" => operation with { Key = reader.GetString() ?? "", KeyText = raw },
                "value" => operation with { Value = raw },
                "version" when kind == JsonTokenType.Number => operation with { Version = reader.GetInt64() },
                _ => operation,
            };
        }
        if (operation.Key is null || operation.IsPut == operation.Value.IsEmpty)
            throw new FormatException("an operation lacks its key or value");
        return operation;
    }

    private static bool IsPutNamed(string? op) => op switch
    {
        "put" => true,
        "delete" => false,
        _ => throw new FormatException($"there is no operation '{op}'"),
    };
}
