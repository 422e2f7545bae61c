using System.Text;

namespace Statehouse.Journal.Sqlite;

/// <summary>Names as they are stored: exactly their UTF-8, so that the order of the database is byte order (I8).</summary>
internal static class StoredNames
{
    // Strict both ways: a replacement character would make two ids meet.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="EncoderFallbackException">The text holds an unpaired surrogate, which no layer above lets through.</exception>
    public static byte[] Encode(string text) => StrictUtf8.GetBytes(text);

    /// <exception cref="InvariantBrokenException">SH-9001. The stored name is damaged.</exception>
    public static string Decode(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException error)
        {
            throw new InvariantBrokenException("The journal holds an agent whose name is not UTF-8: it is damaged.", error);
        }
    }

    /// <summary>Binds kind, namespace and name as the statement's first three parameters.</summary>
    public static SqliteStatement BindAgent(this SqliteStatement statement, AgentId agent) =>
        statement.Bind(1, (long)agent.Kind).BindText(2, Encode(agent.Namespace)).BindText(3, Encode(agent.Name));
}
