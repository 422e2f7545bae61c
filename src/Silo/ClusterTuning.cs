using Orleans.Configuration;
using Orleans.Dashboard;
using Statehouse.Agents.Hosting;

namespace Statehouse.Silo;

/// <summary>
/// Every number that decides how fast a lost silo is noticed, and how slow a living one may be before it is taken for
/// lost, each with its reason. The promise: agents of a silo that was killed answer again within 10 s.
/// </summary>
/// <remarks>Arithmetic and measurements: docs/decisions/0009-membership-tuning.md.</remarks>
internal static class ClusterTuning
{
    /// <summary>How long a process tries to join, or a gateway to find a silo, before it ends with 1.</summary>
    public static readonly TimeSpan JoinPatience = TimeSpan.FromMinutes(2);

    /// <summary>How long a gateway waits between two looks for a silo that it can connect to.</summary>
    public static readonly TimeSpan ConnectRetryEvery = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long calls that were under way when a gateway lost a silo may still be answered by the others: longer than
    /// most commits take on a busy machine, and about as long as it takes until the silo is out and its agents can be
    /// asked elsewhere.
    /// </summary>
    public static readonly TimeSpan LostCallPatience = TimeSpan.FromSeconds(3);

    /// <summary>Silos look for idle activations this often, and at least twice within their age.</summary>
    private static readonly TimeSpan SweepEvery = new LocalAgentsOptions().SweepEvery;

    public static void Tune(ClusterMembershipOptions membership)
    {
        // Orleans adapts the time between two probes, which is also what a probe may take, to the answers it sees:
        // about half of this while they come at once.
        membership.ProbeTimeout = TimeSpan.FromSeconds(2);
        membership.MinProbeTimeout = TimeSpan.FromSeconds(1);

        // Where answers come late, because processors are few and busy, it waits longer, up to this. Times the limit
        // below, it is also how long a silo that is silent on an open connection may stay: 9 s.
        membership.MaxProbeTimeout = TimeSpan.FromSeconds(3);

        // A killed silo refuses connections, so each probe fails at once, and it is out after three: about 3 s.
        // Two would save a second and make one lost message half of a death sentence.
        membership.NumMissedProbesLimit = 3;

        // No silo evicts another alone where there is a third to ask; the third probe goes through it, so both votes
        // are cast together.
        membership.NumVotesForDeathDeclaration = 2;
        membership.EnableIndirectProbes = true;

        // A silo that is itself slow waits longer for others; one that has just sent us anything is not dead.
        membership.ExtendProbeTimeoutDuringDegradation = true;
        membership.EnableConnectionLivenessCheck = true;

        // Two suspicions that have nothing to do with each other must not add up: a vote counts only as long as the
        // slowest way to the second one takes.
        membership.DeathVoteExpirationTimeout = TimeSpan.FromSeconds(30);

        // Deaths are told at once; this is for whom the message did not reach. One small query per silo.
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);

        // After the whole cluster was killed nobody is left to probe its rows. Who starts anew takes those for dead
        // whose sign of life is older than 3 s × 3: an update of one row per silo each 3 s, and clocks that agree to
        // within a few seconds.
        membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(3);
        membership.NumMissedTableIAmAliveLimit = 3;

        // Who joins must reach every silo that the table calls active, but looks only once for those that stopped giving
        // signs of life. Where they had stopped just before, it gives up after this, longer than the 9 s above, and
        // a second attempt sees that they are gone. Others leave it that time: who joins and dies fails their probes.
        membership.MaxJoinAttemptTime = TimeSpan.FromSeconds(10);
        membership.EvictWhenMaxJoinAttemptTimeExceeded = false;
    }

    public static void Tune(ConnectionOptions connections)
    {
        // A machine that is gone does not even refuse: what waits for a connection to it is told after this.
        connections.OpenConnectionTimeout = TimeSpan.FromSeconds(3);
        connections.ConnectionRetryDelay = TimeSpan.FromMilliseconds(500);
    }

    /// <summary>Of gateways, which are Orleans clients.</summary>
    public static void Tune(ClientMessagingOptions messaging)
    {
        // For a silo that neither answers nor goes away; calls to one that is gone end with LostCallPatience. Longer than
        // the journal may take for one call (10 s, and 2 s until that is given up), so that its own answer comes first.
        messaging.ResponseTimeout = TimeSpan.FromSeconds(15);
    }

    public static void Tune(GatewayOptions gateways)
    {
        // A new silo gets its share of a gateway's calls after this, and one that refused a connection another chance.
        gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(5);
    }

    public static void Tune(GrainCollectionOptions collection, TimeSpan idleAfter)
    {
        collection.CollectionAge = idleAfter;
        collection.CollectionQuantum = idleAfter / 2 < SweepEvery ? idleAfter / 2 : SweepEvery;

        // Agents in memory are a cache: near the end of memory the idlest leave, whatever their age.
        collection.EnableActivationSheddingOnMemoryPressure = true;
    }

    public static void Tune(DashboardOptions dashboard)
    {
        // Every silo gathers its counters this often, looked at or not; each second costs it about 1 % of a processor.
        dashboard.CounterUpdateIntervalMs = 5000;
    }
}
