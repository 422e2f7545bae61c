using Statehouse.Agents;
using Statehouse.Gateway;
using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>All planted defects.</summary>
internal static class DefectCatalog
{
    public static IReadOnlyList<Defect> All { get; } =
    [
        new("acknowledge-before-append", "A commit is acknowledged a second before it is written.", ["I1"],
            DefectShows.AfterKill | DefectShows.SqliteOnly, OfStore(store => new EarlyStore(store, TimeSpan.FromSeconds(1)))),
        new("publish-before-durable", "Reads show a commit a second before it is written; its caller waits until it is.", ["I2", "I10", "linearizable", "followers"],
            DefectShows.AfterKill | DefectShows.SqliteOnly, PublishEarly),
        new("skip-fence", "A commit decided on an old head is appended to the new one, and acknowledged as it was decided.", ["I4", "linearizable"],
            DefectShows.BetweenServers, OfStore(store => new FencelessStore(store))),
        new("drop-idempotency", "A repeated idempotency key commits once more.", ["I6"],
            DefectShows.Always, OfAgents(agents => new NoIdempotency(agents))),
        new("reorder-batch", "Two commits of one agent in one batch are journaled in the other order than acknowledged.", ["I1", "I3", "linearizable"],
            DefectShows.Always, OfStore(store => new ReorderingStore(store))),
        new("torn-read", "A scan shows a commit without its last key.", ["I2", "linearizable"],
            DefectShows.Always, OfAgents(agents => new TornScans(agents))),
        new("lose-share", "Of a transaction over several agents only the first one's share is written.", ["I2"],
            DefectShows.Always, OfStore(store => new LoseShareStore(store))),
        new("lose-unit", "Each 40th commit is acknowledged and not written.", ["I1"],
            DefectShows.Always, OfStore(store => new LoseUnitStore(store))),
        new("stale-read", "Each fifth read of a key is answered as the one before it.", ["linearizable"],
            DefectShows.Always, OfAgents(agents => new StaleReads(agents))),
        new("repeat-commit-ts", "Each 20th receipt carries another commit's commit_ts.", ["I1"],
            DefectShows.Always, OfAgents(agents => new RepeatedPositions(agents))),
        new("false-refusal", "Each 20th commit is refused as a conflict although it was written.", ["I9"],
            DefectShows.Always, OfAgents(agents => new FalseRefusals(agents))),
        new("refuse-falsely", "Each 20th conditional commit is refused as a conflict although its condition held, and nothing is written.", ["refusal"],
            DefectShows.Always, OfAgents(agents => new UnjustRefusals(agents))),
        new("skip-in-follow", "Followers are not shown each tenth commit.", ["follower"],
            DefectShows.Always, OfAgents(agents => new SkippingFollowers(agents))),
        new("skip-in-feed", "Each page of the feed lacks its second commit.", ["feed"],
            DefectShows.Always, OfStore(store => new GappyFeedStore(store))),
        new("late-in-feed", "Each 20th commit_ts is in the feed only a second later, behind higher ones.", ["feed"],
            DefectShows.BetweenServers, OfStore(store => new LateFeedStore(store))),
        new("tamper-body", "Each 50th unit is written with another digit than was hashed.", ["evidence"],
            DefectShows.Always, OfStore(store => new TamperingStore(store))),
        new("forget-in-snapshot", "Snapshots lack their first key.", ["I5"],
            DefectShows.AfterRestart, ForgetInSnapshots),
    ];

    /// <returns>null where no defect has this name.</returns>
    public static Defect? Find(string name) => All.FirstOrDefault(defect => defect.Name == name);

    private static Func<ProgramHooks, ProgramHooks> OfStore(Func<IJournalStore, IJournalStore> around) => hooks => hooks with { Store = around };

    private static Func<ProgramHooks, ProgramHooks> OfAgents(Func<IAgents, IAgents> around) => hooks => hooks with { Agents = around };

    /// <summary>With snapshots of small agents too, which a short run makes none of otherwise.</summary>
    private static ProgramHooks ForgetInSnapshots(ProgramHooks hooks) => hooks with
    {
        Store = store => new ForgetfulSnapshotStore(store),
        Memory = memory => memory with { SnapshotTailBytesMin = 2048 },
    };

    private static ProgramHooks PublishEarly(ProgramHooks hooks)
    {
        EarlyStore? early = null;
        return hooks with
        {
            Store = store => early = new EarlyStore(store, TimeSpan.FromSeconds(1)),
            Agents = agents => new LateReplies(agents, () => early!.FlushedAsync()),
        };
    }
}
