using Statehouse.Journal;

namespace Statehouse.Agents.Tests.Conformance;

/// <summary>
/// The contract of <see cref="IAgents"/> and <see cref="IAgentState"/> in executable form: every host derives from
/// this and passes all of it unchanged.
/// </summary>
public abstract partial class AgentStateConformance : IAsyncLifetime
{
    /// <summary>The host under test, on a store of this test's own that started empty.</summary>
    protected abstract IAgents Agents { get; }

    /// <summary>Stops the host and starts another on the same data, as a restart does.</summary>
    protected abstract Task RestartAsync();

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected static AgentId Id(string name, string @namespace = "default") => new(@namespace, name);

    protected IAgentState Agent(string name, string @namespace = "default") => Agents.Get(Id(name, @namespace));

    /// <summary>The chain, recomputed from the journal alone as any verifier would (I11), with the order rules (I3).</summary>
    protected static void AssertChain(AgentId agent, IReadOnlyList<JournalCommit> commits)
    {
        CommitHash hash = CommitHash.Genesis(agent);
        for (int i = 0; i < commits.Count; i++)
        {
            JournalCommit commit = commits[i];
            Assert.Equal(i + 1, commit.Version.Value);
            hash = CommitHash.Chain(hash, commit.Version, commit.Time, commit.TxnId, commit.Body.Span);
            Assert.Equal(hash, commit.Hash);
            if (i > 0)
            {
                Assert.True(commit.CommitTs > commits[i - 1].CommitTs, $"commit_ts of version {commit.Version} does not grow");
                Assert.True(commit.Time >= commits[i - 1].Time, $"time of version {commit.Version} runs backwards");
            }
        }
    }
}
