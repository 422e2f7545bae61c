using System.Text.Json.Nodes;
using Statehouse.Testing;
using Xunit;

namespace Statehouse.Samples.Tests;

/// <summary>Reads an agent's whole history over HTTP and verifies it as an auditor would, from the raw text of the answers.</summary>
internal sealed class AgentHistory(HttpClient http)
{
    private const byte PlainAgent = 0;

    /// <returns>All commits from version 1: without gap, commit_ts and time in order, hashes recomputed up to the head's.</returns>
    public async Task<IReadOnlyList<JsonNode>> ReadVerifiedAsync(string agent, CancellationToken cancellationToken)
    {
        string path = $"/v1/namespaces/default/agents/{Uri.EscapeDataString(agent)}";
        JsonNode head = JsonNode.Parse(await http.GetStringAsync(path, cancellationToken))!;
        var commits = new List<JsonNode>();
        string hash = HashChain.Genesis(PlainAgent, "default", agent);
        long commitTs = 0;
        string time = "";
        for (long version = 1; version <= (long)head["version"]!; version++)
        {
            string text = await http.GetStringAsync($"{path}/commits/{version}", cancellationToken);
            JsonNode commit = JsonNode.Parse(text)!;
            Assert.Equal(version, (long)commit["version"]!);
            hash = HashChain.Next(hash, version, (string)commit["time"]!, (string)commit["txn_id"]!, BodyOf(text));
            Assert.Equal(hash, (string)commit["hash"]!);
            Assert.True((long)commit["commit_ts"]! > commitTs, $"commit_ts of {agent} {version} does not grow.");
            Assert.True(string.CompareOrdinal((string)commit["time"]!, time) >= 0, $"Time of {agent} {version} goes back.");
            commitTs = (long)commit["commit_ts"]!;
            time = (string)commit["time"]!;
            commits.Add(commit);
        }
        Assert.Equal(hash, (string)head["hash"]!);
        return commits;
    }

    /// <summary>What the hash covers: the members that follow the header, as they stand (docs/data-layout.md).</summary>
    private static string BodyOf(string commit) => "{" + commit.Trim()[commit.IndexOf("\"operations\":", StringComparison.Ordinal)..];
}
