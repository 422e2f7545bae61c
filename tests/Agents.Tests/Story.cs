using System.Collections.Immutable;
using System.Text;
using Statehouse.Journal;

namespace Statehouse.Agents.Tests;

/// <summary>Short ways to say what a test does to an agent.</summary>
public static class Story
{
    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static JsonText Json(string text) => JsonText.Parse("value", Encoding.UTF8.GetBytes(text), 64);

    public static Operation Put(string key, string json, long? ifVersion = null) =>
        new(OperationKind.Put, new Key(key), Json(json), ifVersion is { } version ? new KeyVersion(version) : null);

    /// <summary>A put whose value is kept beside its commit.</summary>
    public static Operation Detached(string key, string json, bool isWhole = false) => Put(key, json) with { IsDetached = true, IsWhole = isWhole };

    public static Operation Delete(string key, long? ifVersion = null) =>
        new(OperationKind.Delete, new Key(key), default, ifVersion is { } version ? new KeyVersion(version) : null);

    public static CommitRequest Commit(params Operation[] operations) => new([.. operations]);

    public static async Task<CommitReceipt> CommitAsync(this IAgentState agent, params Operation[] operations) =>
        await agent.CommitAsync(Commit(operations), Cancellation);

    public static async Task<KeyState> GetAsync(this IAgentState agent, string key, ReadPoint at = default, Consistency consistency = default) =>
        await agent.GetAsync(new GetRequest(new Key(key), at, consistency), Cancellation);

    /// <summary>The value's text, or null where the key does not exist.</summary>
    public static async Task<string?> ReadAsync(this IAgentState agent, string key, ReadPoint at = default, Consistency consistency = default)
    {
        KeyState state = await agent.GetAsync(key, at, consistency);
        return state.Exists ? state.Value.ToString() : null;
    }

    public static async Task<ScanPage> ScanAsync(this IAgentState agent, string prefix = "", int limit = 1000, string after = "", ReadPoint at = default) =>
        await agent.ScanAsync(new ScanRequest(KeyOrNone(prefix), KeyOrNone(after), limit, At: at), Cancellation);

    public static async Task<List<JournalCommit>> HistoryAsync(this IAgentState agent)
    {
        var commits = new List<JournalCommit>();
        await foreach (JournalCommit commit in agent.ReplayAsync(AgentVersion.None, follow: false, Cancellation))
            commits.Add(commit);
        return commits;
    }

    /// <summary>The history after a look at the journal, for agents that another server writes too.</summary>
    public static async Task<List<JournalCommit>> RefreshedHistoryAsync(this IAgentState agent)
    {
        await agent.GetHeadAsync(Consistency.Strong, Cancellation);
        return await agent.HistoryAsync();
    }

    public static string Text(this JournalCommit commit) => Encoding.UTF8.GetString(commit.Body.Span);

    public static ImmutableArray<AgentCommitRequest> Together(params (AgentId Agent, CommitRequest Commit)[] commits) =>
        [.. commits.Select(each => new AgentCommitRequest(each.Agent, each.Commit))];

    /// <summary>The refusal that an action ends with.</summary>
    public static async Task<StatehouseException> RefusalAsync(Func<Task> action)
    {
        StatehouseException refusal = await Assert.ThrowsAnyAsync<StatehouseException>(action);
        Assert.Equal(ErrorKind.Refusal, refusal.Code.Kind());
        return refusal;
    }

    private static Key KeyOrNone(string text) => text.Length == 0 ? default : new Key(text);
}
