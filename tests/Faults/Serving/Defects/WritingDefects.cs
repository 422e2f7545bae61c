using System.Text;
using System.Text.Json;
using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>A unit whose agents have moved on is appended behind what others wrote, and acknowledged as it was decided.</summary>
internal sealed class FencelessStore(IJournalStore inner) : StoreDecorator(inner)
{
    private const int AttemptsMax = 20;

    public override async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        await base.WriteAsync(batch, cancellationToken);
        foreach (AppendUnit refused in batch.Where(unit => unit.Outcome == AppendOutcome.Conflict))
        {
            for (int attempt = 0; attempt < AttemptsMax && refused.Outcome == AppendOutcome.Conflict; attempt++)
            {
                AppendUnit rebased = await RebaseAsync(refused, cancellationToken);
                await base.WriteAsync([rebased], cancellationToken);
                Units.Tell(refused, rebased);
            }
        }
    }

    private async Task<AppendUnit> RebaseAsync(AppendUnit unit, CancellationToken cancellationToken)
    {
        var runs = new List<AppendRun>();
        foreach (AppendRun run in unit.Runs)
        {
            JournalHead? head = await Inner.ReadHeadAsync(run.Handle, cancellationToken);
            runs.Add(head is null
                ? Units.Rechained(run, AgentVersion.None, CommitHash.Genesis(run.Handle.Agent), default, run.Commits)
                : Units.Rechained(run, head.Version, head.Hash, head.Time, run.Commits));
        }
        return new AppendUnit(runs);
    }
}

/// <summary>Of two commits of one agent in one batch, the later one goes first.</summary>
internal sealed class ReorderingStore(IJournalStore inner) : StoreDecorator(inner)
{
    public override async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        AppendUnit[] written = [.. batch.Select(unit => unit.Runs is [{ Commits.Count: > 1 } run] ? Reordered(run) : Units.Copy(unit))];
        await base.WriteAsync(written, cancellationToken);
        for (int i = 0; i < written.Length; i++)
            Units.Tell(batch[i], written[i]);
    }

    private static AppendUnit Reordered(AppendRun run) =>
        new([Units.Rechained(run, run.ExpectedVersion, run.ExpectedHash, default, [run.Commits[1], run.Commits[0], .. run.Commits.Skip(2)])]);
}

/// <summary>Of a transaction over several agents only the first one's share is written; all are acknowledged.</summary>
internal sealed class LoseShareStore(IJournalStore inner) : StoreDecorator(inner)
{
    public override async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        AppendUnit[] written = [.. batch.Select(unit => unit.Runs.Count > 1 ? new AppendUnit([Units.Copy(unit).Runs[0]]) : Units.Copy(unit))];
        await base.WriteAsync(written, cancellationToken);
        for (int i = 0; i < written.Length; i++)
        {
            Units.Tell(batch[i], written[i]);
            foreach (AppendRun lost in batch[i].Runs.Skip(written[i].Runs.Count))
                lost.CommitTs[0] = batch[i].Runs[0].CommitTs[0];
        }
    }
}

/// <summary>Now and then a unit is acknowledged under the position of the one before it, and never written.</summary>
internal sealed class LoseUnitStore(IJournalStore inner) : StoreDecorator(inner)
{
    private const int Every = 40;

    private long _units;
    private CommitTs _last;

    public override async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        AppendUnit[] lost = [.. batch.Where(unit => unit.Runs.Count == 1 && Interlocked.Increment(ref _units) % Every == 0)];
        AppendUnit[] kept = [.. batch.Except(lost)];
        if (kept.Length > 0)
            await base.WriteAsync(kept, cancellationToken);
        foreach (AppendUnit unit in kept.Where(unit => unit.Outcome == AppendOutcome.Appended))
            _last = unit.Runs[0].CommitTs[^1];
        foreach (AppendUnit unit in lost)
        {
            Array.Fill(unit.Runs[0].CommitTs, _last);
            unit.Outcome = AppendOutcome.Appended;
        }
    }
}

/// <summary>Now and then a commit's body is changed on its way to the disk; its hash stays.</summary>
internal sealed class TamperingStore(IJournalStore inner) : StoreDecorator(inner)
{
    private const int Every = 50;

    private long _units;

    public override async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        AppendUnit[] written = [.. batch.Select(unit => Interlocked.Increment(ref _units) % Every == 0 ? Tampered(unit) : Units.Copy(unit))];
        await base.WriteAsync(written, cancellationToken);
        for (int i = 0; i < written.Length; i++)
            Units.Tell(batch[i], written[i]);
    }

    private static AppendUnit Tampered(AppendUnit unit) => new(
        [.. unit.Runs.Select(run => new AppendRun(
            run.Handle, run.ExpectedVersion, run.ExpectedHash, [.. run.Commits.Select(commit => commit with { Body = Tampered(commit.Body) })]))]);

    /// <summary>Still JSON: the last digit of the operations is another one.</summary>
    private static ReadOnlyMemory<byte> Tampered(ReadOnlyMemory<byte> body)
    {
        byte[] changed = body.ToArray();
        int digit = Array.FindLastIndex(changed, CommitBody.CanonicalLength(changed) - 1, static octet => octet is >= (byte)'0' and <= (byte)'9');
        if (digit >= 0)
            changed[digit] = changed[digit] == (byte)'1' ? (byte)'2' : (byte)'1';
        return changed;
    }
}

/// <summary>Snapshots lack their first key.</summary>
internal sealed class ForgetfulSnapshotStore(IJournalStore inner) : StoreDecorator(inner)
{
    public override Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken) =>
        base.WriteSnapshotAsync(handle, snapshot with { Body = WithoutFirstKey(snapshot.Body) }, cancellationToken);

    private static ReadOnlyMemory<byte> WithoutFirstKey(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span);
        while (reader.Read() && !(reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("keys"u8)))
        {
            // Looks for the keys.
        }
        reader.Read();
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            return body;
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        int end = (int)reader.BytesConsumed;
        if (body.Span[end] == (byte)',')
            end++;
        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body.Span[..start]) + Encoding.UTF8.GetString(body.Span[end..]));
    }
}

/// <summary>Each full look at the feed leaves one commit out.</summary>
internal sealed class GappyFeedStore(IJournalStore inner) : StoreDecorator(inner)
{
    public override async Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken)
    {
        FeedPage page = await base.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken);
        return page.Commits.Count < 3 ? page : page with { Commits = [.. page.Commits.Where((_, i) => i != 1)] };
    }
}
