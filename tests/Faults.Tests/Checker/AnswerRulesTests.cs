using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Tests.Checker;

/// <summary>What no fault excuses, and what a fault does.</summary>
public sealed class AnswerRulesTests
{
    private static readonly AgentName Agent = new("faults", "a");

    [Theory]
    [InlineData("SH-9001")]
    [InlineData("http-500")]
    [InlineData("http-200")]
    [InlineData("grpc-2")]
    [InlineData("grpc-13")]
    [InlineData("broken-reply")]
    public void An_answer_that_tells_of_a_bug_is_found(string code)
    {
        Violation found = Judge.FailsOnly(With(code), Rule.Answers);
        Assert.Contains(code, found.Message, StringComparison.Ordinal);
        Assert.Equal(code, Assert.Single(found.Calls).Result.Code);
    }

    [Theory]
    [InlineData("SH-2001")]
    [InlineData("SH-2002")]
    [InlineData("reset")]
    [InlineData("timeout")]
    [InlineData("http-408")]
    [InlineData("grpc-14")]
    public void What_a_fault_does_is_none(string code) => Judge.Passes(With(code));

    [Fact]
    public void A_stream_that_was_refused_with_one_is_found() => Judge.FailsOnly(With("SH-9001", new FollowCall(Agent, 0)), Rule.Answers);

    private static RunEvidence With(string code, Call? call = null) => new(
        [new RecordedCall(1, 1, "registers", "http", 1, 2, call ?? new ReadCall(Agent, "k"), new CallResult(Outcome.Unknown, null, code, "…"))],
        [],
        new Dictionary<AgentName, AgentJournal>(),
        []);
}
