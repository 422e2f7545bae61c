using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>Where an agent stands, and that as it came.</summary>
/// <param name="Raw">The server's JSON.</param>
/// <param name="Version">Its last commit.</param>
/// <param name="FirstVersion">The oldest commit still kept.</param>
/// <param name="CommitTs">Of the last commit.</param>
/// <param name="Time">Of the last commit.</param>
/// <param name="Hash">Of the last commit.</param>
/// <param name="KeyCount">Live keys.</param>
/// <param name="Bytes">Of the state.</param>
internal sealed record HeadText(
    byte[] Raw, long Version, long FirstVersion, long CommitTs, string Time, string Hash, long KeyCount, long Bytes)
{
    /// <exception cref="ServerProblem">SH-1007: the agent has no commit.</exception>
    public static async Task<HeadText> ReadAsync(Session session, AgentPath agent) =>
        Parse(await session.Api.GetAsync(agent.Head, session.Ending));

    /// <returns>null where the agent has no commit.</returns>
    public static async Task<HeadText?> FindAsync(Session session, AgentPath agent)
    {
        try
        {
            return await ReadAsync(session, agent);
        }
        catch (ServerProblem problem) when (problem.Code == ServerProblem.NotFoundCode)
        {
            return null;
        }
    }

    /// <exception cref="CommandFailure">It is no head.</exception>
    public static HeadText Parse(byte[] raw)
    {
        try
        {
            using JsonDocument head = JsonDocument.Parse(raw);
            JsonElement members = head.RootElement;
            return new HeadText(
                raw,
                members.GetProperty("version").GetInt64(),
                members.GetProperty("first_version").GetInt64(),
                members.GetProperty("commit_ts").GetInt64(),
                members.GetProperty("time").GetString()!,
                members.GetProperty("hash").GetString()!,
                members.GetProperty("key_count").GetInt64(),
                members.GetProperty("bytes").GetInt64());
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw CommandFailure.Refused($"this is no agent's head: {error.Message}");
        }
    }
}
