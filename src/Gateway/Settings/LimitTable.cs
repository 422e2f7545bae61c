using System.Globalization;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>One limit that may be set.</summary>
/// <param name="Name">As in <c>limits.*</c> of the file and in errors.</param>
/// <param name="Min">The least that leaves a usable server.</param>
/// <param name="Max">The most that fits what counts it.</param>
/// <param name="Read">Its value.</param>
/// <param name="Write">Limits with another value.</param>
internal sealed record LimitSetting(
    string Name, long Min, long Max, Func<Limits, long> Read, Func<Limits, long, Limits> Write);

/// <summary>Every limit, by the name that errors give it. A test holds this against the properties of <see cref="Limits"/>.</summary>
internal static class LimitTable
{
    public static readonly IReadOnlyList<LimitSetting> All =
    [
        Count("namespace_bytes_max", l => l.NamespaceBytesMax, (l, v) => l with { NamespaceBytesMax = v }),
        Count("agent_id_bytes_max", l => l.AgentIdBytesMax, (l, v) => l with { AgentIdBytesMax = v }),
        Count("key_bytes_max", l => l.KeyBytesMax, (l, v) => l with { KeyBytesMax = v }),
        Count("value_bytes_max", l => l.ValueBytesMax, (l, v) => l with { ValueBytesMax = v }),
        Count("metadata_bytes_max", l => l.MetadataBytesMax, (l, v) => l with { MetadataBytesMax = v }),
        Count("idempotency_key_bytes_max", l => l.IdempotencyKeyBytesMax, (l, v) => l with { IdempotencyKeyBytesMax = v }),
        Count("operations_per_commit_max", l => l.OperationsPerCommitMax, (l, v) => l with { OperationsPerCommitMax = v }),
        Count("commit_bytes_max", l => l.CommitBytesMax, (l, v) => l with { CommitBytesMax = v }),
        Bytes("request_bytes_max", l => l.RequestBytesMax, (l, v) => l with { RequestBytesMax = v }),
        Bytes("state_bytes_max", l => l.StateBytesMax, (l, v) => l with { StateBytesMax = v }),
        new("json_depth_max", 1, 1000, l => l.JsonDepthMax, (l, v) => l with { JsonDepthMax = (int)v }),
        new("page_max", 1, 10_000, l => l.PageMax, (l, v) => l with { PageMax = (int)v }),
        new("page_default", 1, 10_000, l => l.PageDefault, (l, v) => l with { PageDefault = (int)v }),
        Count("idempotency_keys_max", l => l.IdempotencyKeysMax, (l, v) => l with { IdempotencyKeysMax = v }),
        Count("open_transactions_max", l => l.OpenTransactionsMax, (l, v) => l with { OpenTransactionsMax = v }),
        Bytes("staged_bytes_max", l => l.StagedBytesMax, (l, v) => l with { StagedBytesMax = v }),
        Milliseconds("transaction_timeout_default", l => l.TransactionTimeoutDefault, (l, v) => l with { TransactionTimeoutDefault = v }),
        Milliseconds("transaction_timeout_max", l => l.TransactionTimeoutMax, (l, v) => l with { TransactionTimeoutMax = v }),
    ];

    /// <param name="limits">What was set so far.</param>
    /// <param name="source">Where the value stands, for the message.</param>
    /// <param name="name">Of the limit.</param>
    /// <param name="text">Its value.</param>
    /// <exception cref="SettingsException">No such limit, or not a value for it.</exception>
    public static Limits Apply(Limits limits, string source, string name, string text)
    {
        LimitSetting setting = All.FirstOrDefault(limit => limit.Name == name)
            ?? throw new SettingsException(
                $"{source}: there is no limit {Query.Shown(name)}; there are {string.Join(", ", All.Select(limit => limit.Name))}.");
        if (!Query.TryNumber(text, out long value) || value < setting.Min || value > setting.Max)
            throw new SettingsException(string.Create(
                CultureInfo.InvariantCulture,
                $"{source}: limits.{name} is {Query.Shown(text)}; it must be an integer from {setting.Min} to {setting.Max}."));
        return setting.Write(limits, value);
    }

    /// <exception cref="SettingsException">Two limits contradict each other.</exception>
    public static void CheckTogether(Limits limits)
    {
        AtMost("page_default", limits.PageDefault, "page_max", limits.PageMax);
        AtMost("value_bytes_max", limits.ValueBytesMax, "commit_bytes_max", limits.CommitBytesMax);
        AtMost("metadata_bytes_max", limits.MetadataBytesMax, "commit_bytes_max", limits.CommitBytesMax);
        AtMost("commit_bytes_max", limits.CommitBytesMax, "state_bytes_max", limits.StateBytesMax);
        AtMost("transaction_timeout_default_ms", (long)limits.TransactionTimeoutDefault.TotalMilliseconds,
            "transaction_timeout_max_ms", (long)limits.TransactionTimeoutMax.TotalMilliseconds);
    }

    private static void AtMost(string name, long value, string boundName, long bound)
    {
        if (value > bound)
            throw new SettingsException(string.Create(
                CultureInfo.InvariantCulture, $"limits.{name} is {value}; it must be at most limits.{boundName}, which is {bound}."));
    }

    // Arrays and counters are 32 bits wide; 512 MiB leaves room to double a buffer.
    private static LimitSetting Count(string name, Func<Limits, int> read, Func<Limits, int, Limits> write) =>
        new(name, 1, 512L << 20, limits => read(limits), (limits, value) => write(limits, (int)value));

    private static LimitSetting Bytes(string name, Func<Limits, long> read, Func<Limits, long, Limits> write) =>
        new(name, 1, 1L << 50, read, write);

    /// <summary>Up to a week: timers reach no further than some, and no transaction should.</summary>
    private static LimitSetting Milliseconds(string name, Func<Limits, TimeSpan> read, Func<Limits, TimeSpan, Limits> write) =>
        new(name + "_ms", 1, 7L * 24 * 3600 * 1000, limits => (long)read(limits).TotalMilliseconds,
            (limits, value) => write(limits, TimeSpan.FromMilliseconds(value)));
}
