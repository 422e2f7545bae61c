namespace Statehouse.Bench.Measuring;

/// <summary>What one session, or all of a run together, saw.</summary>
internal sealed class LoadOutcome
{
    /// <summary>From when a request was due (open loop) or sent (closed loop) to its answer.</summary>
    public LatencyHistogram Latencies { get; } = new();

    /// <summary>Requests answered.</summary>
    public long Requests => Latencies.Count;

    /// <summary>Commits acknowledged.</summary>
    public long Commits { get; private set; }

    /// <summary>What reads brought: keys.</summary>
    public long Items { get; private set; }

    /// <summary>Open loop: requests that were due while every session was busy. Their waiting counts as latency.</summary>
    public long StartedLate { get; private set; }

    public long Errors { get; private set; }

    /// <summary>null where there was no error.</summary>
    public Exception? FirstError { get; private set; }

    /// <summary>From the run's start to its last answer.</summary>
    public TimeSpan Elapsed { get; set; }

    public void OnAnswer(Targets.Answer answer, long ticks)
    {
        Latencies.Record(ticks);
        Commits += answer.Commits;
        Items += answer.Items;
    }

    /// <summary>Commits that were acknowledged outside of what is measured: the store holds them too.</summary>
    public void OnUnmeasured(long commits) => Commits += commits;

    public void OnLateStart() => StartedLate++;

    public void OnError(Exception error)
    {
        Errors++;
        FirstError ??= error;
    }

    public void Merge(LoadOutcome other)
    {
        Latencies.Merge(other.Latencies);
        Commits += other.Commits;
        Items += other.Items;
        StartedLate += other.StartedLate;
        Errors += other.Errors;
        FirstError ??= other.FirstError;
    }
}
