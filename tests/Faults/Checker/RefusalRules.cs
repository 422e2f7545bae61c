using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// A commit is refused as a conflict only where its condition did not hold: at some moment between its invocation and its end the agent was,
/// by the journal, at a version that the condition does not allow. What was never durable is no such version.
/// </summary>
/// <remarks>
/// Only where one process serves an agent. Between several, a refusal may rest on what one of them knows, which may be old, or on
/// appends that all came second; nothing promises more (docs/consistency.md).
/// </remarks>
internal sealed class RefusalRules(EvidenceIndex index, CheckOptions options, Findings findings)
{
    private const string Conflict = "SH-1001";

    private readonly Dictionary<AgentName, VersionTimes> _times = [];

    public void Check(IEnumerable<RecordedCall> calls)
    {
        if (options.IsShared)
            return;
        foreach (RecordedCall call in calls.Where(call => call.Result is { Outcome: Outcome.Refused, Code: Conflict }))
        {
            if (call.Call is not CommitCall commit)
                continue;
            findings.Count(Rule.Refusal);
            if (!commit.Shares.Any(share => CanHaveFailed(share, call)))
                findings.Broken(Rule.Refusal, $"#{call.Number} was refused as a conflict, but its condition held all the time: {string.Join(", ", commit.Shares.Select(share => Name(share, call)))}.", call);
        }
    }

    private bool CanHaveFailed(Share share, RecordedCall call)
    {
        AgentIndex agent = index.Agent(share.Agent);
        (long first, long last) = Times(share.Agent).Possible(call.InvokedAt, call.EndedAt);
        for (long version = first; version <= last; version++)
        {
            if (Conditions.Failed(share, agent, version) is not null)
                return true;
        }
        return false;
    }

    private VersionTimes Times(AgentName agent)
    {
        if (!_times.TryGetValue(agent, out VersionTimes? times))
            _times.Add(agent, times = new VersionTimes(index, index.Agent(agent)));
        return times;
    }

    private string Name(Share share, RecordedCall call)
    {
        (long first, long last) = Times(share.Agent).Possible(call.InvokedAt, call.EndedAt);
        return $"{share.Agent} was at versions {first} to {last}";
    }

    /// <summary>Between which times an agent came to each of its versions, as far as the commits' callers bound it.</summary>
    private sealed class VersionTimes
    {
        /// <summary>By version, from 0 on; both never fall.</summary>
        private readonly long[] _notBefore;
        private readonly long[] _notAfter;

        public VersionTimes(EvidenceIndex index, AgentIndex agent)
        {
            _notBefore = new long[agent.LastVersion + 1];
            _notAfter = new long[agent.LastVersion + 1];
            for (long version = 1; version <= agent.LastVersion; version++)
                _notBefore[version] = Math.Max(_notBefore[version - 1], Maker(index, agent, version)?.InvokedAt ?? 0);
            long next = long.MaxValue;
            for (long version = agent.LastVersion; version > 0; version--)
                _notAfter[version] = next = Math.Min(next, Maker(index, agent, version)?.EndedAt ?? long.MaxValue);
        }

        /// <summary>At which versions the agent may have been at some moment of a call.</summary>
        public (long First, long Last) Possible(long invokedAt, long endedAt)
        {
            // It was at a version unless it had come to a later one when the call began, or had not come to it when the call ended.
            long first = LastWhere(_notAfter, time => time < invokedAt);
            long last = LastWhere(_notBefore, time => time <= endedAt);
            return (first, Math.Max(first, last));
        }

        /// <summary>The request that made a version; null where it is not known, or took effect once more than its end tells of.</summary>
        private static Attempt? Maker(EvidenceIndex index, AgentIndex agent, long version) =>
            index.Transaction(agent.Agent, version) is { Attempt: { } attempt } transaction && attempt.Landed == transaction ? attempt : null;

        /// <summary>The highest version whose time fits; 0 always does.</summary>
        private static long LastWhere(long[] times, Predicate<long> fits)
        {
            int low = 0, high = times.Length - 1;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                if (fits(times[middle]))
                    low = middle;
                else
                    high = middle - 1;
            }
            return low;
        }
    }
}
