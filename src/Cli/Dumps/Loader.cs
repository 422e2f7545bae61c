using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>
/// Writes a dump's operations into an agent, batch after batch. Stopped at any moment and started again, it goes on
/// where it was: the target's newest commit says how far that is.
/// </summary>
/// <param name="session">The server.</param>
/// <param name="target">Where to.</param>
/// <param name="batch">How commits are gathered.</param>
internal sealed class Loader(Session session, AgentPath target, LoadBatch batch)
{
    private LoadMark? _mark;
    private bool _markSeen;

    /// <summary>Where the target stands.</summary>
    public long Version { get; private set; }

    /// <summary>The target's version before this run.</summary>
    public long VersionBefore { get; private set; }

    /// <summary>Source commits that an earlier run had loaded.</summary>
    public long Skipped => _mark?.Version ?? 0;

    /// <summary>Looks where the target stands.</summary>
    /// <param name="append">Write on top of commits that are not from a load.</param>
    /// <exception cref="CommandFailure">The target holds something else.</exception>
    public async Task PrepareAsync(bool append)
    {
        HeadText? head = await HeadText.FindAsync(session, target);
        if (head is null)
            return;
        Version = VersionBefore = head.Version;
        CommitText newest = CommitText.Parse(await session.Api.GetAsync(target.Commit(head.Version), session.Ending));
        string? key = newest.IdempotencyKey.IsEmpty ? null : JsonSerializer.Deserialize<string>(newest.IdempotencyKey.Span);
        _mark = LoadMark.Parse(key);
        if (_mark is null && !append)
        {
            throw CommandFailure.Refused(string.Create(
                CultureInfo.InvariantCulture,
                $"agent {target.Agent} has {head.Version} versions that are not from a load: choose another with --into, or write on top of them with --append."));
        }
    }

    /// <summary>Loads all commits of a dump that are not there yet.</summary>
    /// <param name="dump">Read to its end.</param>
    /// <param name="done">Told how many more source commits are durable.</param>
    public async Task LoadAsync(DumpReader dump, Action<long> done)
    {
        await foreach (CommitText commit in dump.CommitsAsync(session.Ending))
        {
            if (IsThereAlready(commit))
            {
                done(1);
                continue;
            }
            if (batch.TryAdd(commit))
                continue;
            await SendAsync(done);
            batch.TryAdd(commit);
        }
        if (!batch.IsEmpty)
            await SendAsync(done);
        if (_mark is not null && !_markSeen)
            throw NotThisHistory();
    }

    private bool IsThereAlready(CommitText commit)
    {
        if (_mark is null || commit.Version > _mark.Version)
            return false;
        if (commit.Version == _mark.Version)
        {
            if (commit.Hash != _mark.Hash)
                throw NotThisHistory();
            _markSeen = true;
        }
        return true;
    }

    private async Task SendAsync(Action<long> done)
    {
        byte[] receipt = await session.Api.SendAsync(HttpMethod.Post, target.Commits, batch.ToRequest(Version), [], session.Ending);
        string version = Encoding.UTF8.GetString(JsonMember.Text(receipt, "version").Span);
        Version = long.Parse(version, NumberStyles.None, CultureInfo.InvariantCulture);
        done(batch.Commits);
        batch.Clear();
    }

    private CommandFailure NotThisHistory() => CommandFailure.Refused(
        $"agent {target.Agent} was loaded from another history than this dump's: choose another with --into.");
}
