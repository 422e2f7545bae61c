using System.Globalization;

namespace Statehouse.Journal;

/// <summary>The number of a commit in one agent's journal: 1, 2, 3, … without gap or repeat (I3). 0 = no commit yet.</summary>
public readonly record struct AgentVersion(long Value) : IComparable<AgentVersion>
{
    /// <summary>The version of an agent that has no journal yet.</summary>
    public static readonly AgentVersion None = new(0);

    public AgentVersion Next => new(checked(Value + 1));

    public int CompareTo(AgentVersion other) => Value.CompareTo(other.Value);

    public static bool operator <(AgentVersion left, AgentVersion right) => left.Value < right.Value;
    public static bool operator >(AgentVersion left, AgentVersion right) => left.Value > right.Value;
    public static bool operator <=(AgentVersion left, AgentVersion right) => left.Value <= right.Value;
    public static bool operator >=(AgentVersion left, AgentVersion right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// A transaction's position in the feed: strictly increasing over the whole store and along each agent, shared by
/// the commits that one transaction makes on several agents. Not wall time; gaps are normal. 0 = not assigned yet.
/// </summary>
public readonly record struct CommitTs(long Value) : IComparable<CommitTs>
{
    /// <summary>Before the first transaction; also "not assigned yet" on a commit that no journal has acknowledged.</summary>
    public static readonly CommitTs None = new(0);

    public int CompareTo(CommitTs other) => Value.CompareTo(other.Value);

    public static bool operator <(CommitTs left, CommitTs right) => left.Value < right.Value;
    public static bool operator >(CommitTs left, CommitTs right) => left.Value > right.Value;
    public static bool operator <=(CommitTs left, CommitTs right) => left.Value <= right.Value;
    public static bool operator >=(CommitTs left, CommitTs right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Wall-clock UTC of a commit in microseconds since 1970-01-01; never goes back along one agent (I3).</summary>
public readonly record struct CommitTime(long UnixMicroseconds) : IComparable<CommitTime>
{
    public static CommitTime From(DateTimeOffset time) =>
        new((time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);

    /// <summary>The clock's reading, or <paramref name="notBefore"/> where the clock has gone back behind it.</summary>
    public static CommitTime Now(TimeProvider clock, CommitTime notBefore)
    {
        CommitTime now = From(clock.GetUtcNow());
        return now < notBefore ? notBefore : now;
    }

    public DateTimeOffset ToDateTimeOffset() =>
        DateTimeOffset.UnixEpoch.AddTicks(UnixMicroseconds * TimeSpan.TicksPerMicrosecond);

    public int CompareTo(CommitTime other) => UnixMicroseconds.CompareTo(other.UnixMicroseconds);

    public static bool operator <(CommitTime left, CommitTime right) => left.UnixMicroseconds < right.UnixMicroseconds;
    public static bool operator >(CommitTime left, CommitTime right) => left.UnixMicroseconds > right.UnixMicroseconds;
    public static bool operator <=(CommitTime left, CommitTime right) => left.UnixMicroseconds <= right.UnixMicroseconds;
    public static bool operator >=(CommitTime left, CommitTime right) => left.UnixMicroseconds >= right.UnixMicroseconds;

    /// <summary>RFC 3339 with six decimals and <c>Z</c>, as on every wire: <c>2026-01-31T09:05:00.000123Z</c>.</summary>
    public override string ToString() =>
        ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
