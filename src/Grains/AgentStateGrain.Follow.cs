using System.Runtime.CompilerServices;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <content>Being followed.</content>
internal sealed partial class AgentStateGrain
{
    /// <summary>
    /// Orleans ends an activation when no call is under way, and holds new ones back until then. A follower's call would
    /// take half a response timeout, so it is sent on as soon as it is known that the activation may have to go.
    /// </summary>
    /// <exception cref="EnumerationAbortedException">The agent may move to another silo: follow it again, from the version after the last one seen.</exception>
    private async IAsyncEnumerable<JournalCommit> FollowAsync(AgentVersion from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var following = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _silos.Unchanged);
        await using IAsyncEnumerator<JournalCommit> commits =
            Reference.ReplayAsync(from, follow: true, following.Token).GetAsyncEnumerator(following.Token);
        while (await MoveNextAsync(commits, following.Token, cancellationToken))
            yield return commits.Current;
    }

    private static async ValueTask<bool> MoveNextAsync(
        IAsyncEnumerator<JournalCommit> commits, CancellationToken following, CancellationToken cancellationToken)
    {
        try
        {
            return await commits.MoveNextAsync();
        }
        catch (OperationCanceledException) when (following.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new EnumerationAbortedException("The agent may move to another silo: follow it again, from the version after the last one seen.");
        }
    }
}
