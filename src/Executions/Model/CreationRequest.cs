using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>An execution as its caller asks for it.</summary>
/// <param name="Workflow">1..256 bytes.</param>
public sealed record CreationRequest(string Workflow)
{
    public const int LabelsMax = 32;
    private const int LabelBytesMax = 128;
    internal const int NameBytesMax = 256;

    /// <summary>null = one is drawn.</summary>
    public string? ExecutionId { get; init; }

    /// <summary>In any order, no name twice.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Checkpoint 0; absent = there is none yet.</summary>
    public JsonText State { get; init; }

    public ExecutionSettings Settings { get; init; } = ExecutionSettings.Default;

    public int MaxAttempts { get; init; } = ExecutionSettings.MaxAttemptsDefault;

    /// <summary>Who holds the lease from the start; null = nobody.</summary>
    public string? Worker { get; init; }

    /// <exception cref="RefusedException">SH-1003 or SH-1004.</exception>
    public void Check(Limits limits)
    {
        CheckText("workflow", Workflow, NameBytesMax);
        if (Labels.Length > LabelsMax)
            throw RefusedException.Invalid("labels", $"at most {LabelsMax}", Labels.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        foreach ((string name, string value) in Labels)
        {
            CheckText($"labels.{name}", name, LabelBytesMax);
            CheckText($"labels.{name}", value, LabelBytesMax);
            if (name.Contains('=', StringComparison.Ordinal))
                throw RefusedException.Invalid("labels", "names without =", $"\"{name}\"");
        }
        Settings.Check();
        ExecutionSettings.InRange("max_attempts", MaxAttempts, 1, 1000);
        if (Worker is not null)
            CheckText("claim.worker", Worker, NameBytesMax);
        CheckState(State, limits);
    }

    /// <summary>What the first commit writes.</summary>
    internal ExecutionDecision Decide(CommitTime now)
    {
        var run = new ExecutionRun
        {
            Workflow = Workflow,
            Labels = Sorted(),
            MaxAttempts = MaxAttempts,
            CreatedAt = now,
            DueAt = now,
            Settings = Settings,
            Creation = Digest(),
        };
        if (Worker is not null)
            run = ClaimRules.Held(run, Worker, leaseMs: null, now);
        return State.IsAbsent
            ? ExecutionDecision.Write(run, default)
            : ExecutionDecision.Write(run, new StepMark(0, 1, State.Length, 1), ExecutionDecision.PutState(State, isWhole: true));
    }

    /// <summary>Tells whether another creation asked for the same: SHA-256 over all of it but the id, in hexadecimal.</summary>
    internal string Digest()
    {
        var text = new StringBuilder();
        Append(text, Workflow);
        foreach ((string name, string value) in Sorted())
        {
            Append(text, name);
            Append(text, value);
        }
        text.Append(Settings).Append(MaxAttempts).Append('|');
        Append(text, Worker ?? "");
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(Encoding.UTF8.GetBytes(text.ToString()));
        sha.AppendData(State.Utf8);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    internal static void CheckState(JsonText state, Limits limits)
    {
        if (state.Length > limits.ValueBytesMax)
            throw RefusedException.OverLimit("state", "value_bytes_max", limits.ValueBytesMax, state.Length);
    }

    internal static void CheckText(string field, string text, int bytesMax)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes == 0 || bytes > bytesMax)
            throw RefusedException.Invalid(field, $"1..{bytesMax} bytes of UTF-8", bytes == 0 ? "empty" : $"{bytes} bytes");
        if (text.Contains('\0', StringComparison.Ordinal))
            throw RefusedException.Invalid(field, "text without the NUL character", "text with one");
    }

    private ImmutableArray<KeyValuePair<string, string>> Sorted() =>
        Labels.Sort((left, right) => new Key(left.Key).CompareTo(new Key(right.Key)));

    /// <summary>With its length before it: no two lists of texts make the same.</summary>
    private static void Append(StringBuilder text, string part) => text.Append(part.Length).Append(':').Append(part);
}
