using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Where a page of executions or checkpoints ended, as text that only this server reads: base64url of a number and a name.</summary>
internal static class OpaqueCursor
{
    public static string Of(IndexCursor cursor)
    {
        byte[] name = Encoding.UTF8.GetBytes(cursor.Name);
        byte[] bytes = new byte[8 + name.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, cursor.Value.UnixMicroseconds);
        name.CopyTo(bytes, 8);
        return Base64Url.EncodeToString(bytes);
    }

    public static string Of(AgentVersion version) => Of(new IndexCursor(new CommitTime(version.Value), ""));

    public static string Of(string name) => Of(new IndexCursor(default, name));

    /// <returns>null where there is none.</returns>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public static IndexCursor? Parse(in Query query)
    {
        if (query.Text("after") is not { Length: > 0 } text)
            return null;
        if (!Base64Url.IsValid(text, out int length) || length < 8)
            throw Bad(text);
        byte[] bytes = Base64Url.DecodeFromChars(text);
        ReadOnlySpan<byte> name = bytes.AsSpan(8);
        if (!System.Text.Unicode.Utf8.IsValid(name) || name.Contains((byte)0))
            throw Bad(text);
        return new IndexCursor(new CommitTime(BinaryPrimitives.ReadInt64BigEndian(bytes)), Encoding.UTF8.GetString(name));
    }

    private static RefusedException Bad(string text) =>
        RefusedException.Invalid("after", "what an earlier page gave as next", Query.Shown(text));
}
