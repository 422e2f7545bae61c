using Statehouse.Agents.Model;

namespace Statehouse.Agents.Hosting;

/// <summary>What became of one decision; default = none was made.</summary>
internal readonly record struct Proposal
{
    public bool IsMade => Evicted || Pending is not null || Decision.Refusal is not null || Decision.Repeat is not null;

    /// <summary>Queued.</summary>
    public PendingCommit? Pending { get; init; }

    /// <summary>Not queued: a refusal or a repeat.</summary>
    public Decision Decision { get; init; }

    /// <summary>The newest commit that the decision rests on and that is not durable yet.</summary>
    public PendingCommit? RestsOn { get; init; }

    /// <summary>The agent left memory.</summary>
    public bool Evicted { get; init; }
}
