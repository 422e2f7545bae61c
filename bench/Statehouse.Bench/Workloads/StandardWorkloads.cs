using System.Collections.Frozen;
using System.Globalization;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Workloads;

/// <summary>What every workload here shares: its agents, its values, and a spread over both that only the seed decides.</summary>
/// <param name="Agents">Written or read.</param>
/// <param name="ValueBytes">Of each value's JSON text.</param>
/// <param name="Seed">Of values and choices.</param>
internal abstract record StandardWorkload(int Agents, int ValueBytes, int Seed) : IWorkload
{
    private readonly ReadOnlyMemory<byte>[] _values = Values.Make(ValueBytes, Seed);

    public virtual string Name => $"{ValueText}, {Counted(Agents, "agent")}";

    public abstract IReadOnlySet<RequestKind> Asks { get; }

    public virtual string Unit => "commits/s";

    public virtual IEnumerable<Request> Preparation => [];

    public abstract Request Request(long number);

    protected string ValueText => ValueBytes < 1000 ? $"{ValueBytes} B" : $"{ValueBytes / 1000} KB";

    protected ReadOnlyMemory<byte> Value(long number) => _values[(int)((ulong)number % (ulong)_values.Length)];

    /// <summary>In turn: so every agent has as many commits as every other.</summary>
    protected int AgentInTurn(long number) => (int)((ulong)number % (ulong)Agents);

    /// <summary>An even, repeatable choice out of so many: the finalizer of SplitMix64.</summary>
    protected int Choose(long number, int outOf)
    {
        ulong z = unchecked((ulong)number * 0x9E3779B97F4A7C15UL + (ulong)Seed);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return (int)((z ^ (z >> 31)) % (ulong)outOf);
    }

    protected static string Counted(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:n0} {what}{(count == 1 ? "" : "s")}");

    protected static FrozenSet<RequestKind> Kinds(params RequestKind[] kinds) => kinds.ToFrozenSet();
}

/// <summary>One-key commits over all agents in turn.</summary>
internal sealed record Puts(int Agents, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Put);

    public override Request Request(long number) => new(RequestKind.Put, AgentInTurn(number), 0, Value(number));
}

/// <summary>One-key commits on agents that exist, chosen at random: most of many are not in memory.</summary>
internal sealed record RandomPuts(int Agents, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Put);

    public override Request Request(long number) => new(RequestKind.Put, Choose(number, Agents), 0, Value(number));
}

/// <summary>One-key commits on one agent, over so many keys at random.</summary>
internal sealed record OneAgentPuts(int Keys, int ValueBytes, int Seed) : StandardWorkload(1, ValueBytes, Seed)
{
    public override string Name => $"{ValueText}, 1 agent, {Counted(Keys, "key")}";

    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Put);

    public override Request Request(long number) => new(RequestKind.Put, 0, Choose(number, Keys), Value(number));
}

/// <summary>Reads of one key that exists, over all agents in turn.</summary>
internal sealed record Gets(int Agents, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Get);

    public override string Unit => "reads/s";

    public override IEnumerable<Request> Preparation =>
        Enumerable.Range(0, Agents).Select(agent => new Request(RequestKind.Put, agent, 0, Value(agent)));

    public override Request Request(long number) => new(RequestKind.Get, AgentInTurn(number));
}

/// <summary>Nine reads to one commit, in random order.</summary>
internal sealed record Mixed(int Agents, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    public override string Name => $"90 % reads, 10 % commits, {base.Name}";

    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Get, RequestKind.Put);

    public override string Unit => "requests/s";

    public override IEnumerable<Request> Preparation =>
        Enumerable.Range(0, Agents).Select(agent => new Request(RequestKind.Put, agent, 0, Value(agent)));

    public override Request Request(long number) => Choose(number, 10) == 0
        ? new Request(RequestKind.Put, AgentInTurn(number), 0, Value(number))
        : new Request(RequestKind.Get, AgentInTurn(number));
}

/// <summary>Pages of the first keys of agents that have more.</summary>
internal sealed record Scans(int Agents, int Keys, int Limit, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    private const int KeysPerCommitMax = 500;

    public override string Name => $"pages of {Limit} of {Counted(Keys, "key")}, {base.Name}";

    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Scan, RequestKind.PutMany);

    public override string Unit => "pages/s";

    public override IEnumerable<Request> Preparation =>
        from agent in Enumerable.Range(0, Agents)
        from first in Enumerable.Range(0, Keys).Where(key => key % KeysPerCommitMax == 0)
        select new Request(RequestKind.PutMany, agent, first, Value(agent), Math.Min(KeysPerCommitMax, Keys - first));

    public override Request Request(long number) => new(RequestKind.Scan, AgentInTurn(number), 0, default, Limit);
}

/// <summary>Ten operations at once: on ten keys of one agent, or on one key of each of ten.</summary>
internal sealed record Tens(RequestKind Kind, int Agents, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    private const int Operations = 10;

    public override string Name => $"10 operations {(Kind == RequestKind.PutMany ? "on one agent" : "on 10 agents")}, {base.Name}";

    public override IReadOnlySet<RequestKind> Asks => Kinds(Kind);

    public override string Unit => "transactions/s";

    // Neighbours would all want the same agents; a step of ten gives each its own.
    public override Request Request(long number) => Kind == RequestKind.PutMany
        ? new Request(Kind, AgentInTurn(number), 0, Value(number), Operations)
        : new Request(Kind, (int)((ulong)number % (ulong)(Agents / Operations)) * Operations, 0, Value(number), Operations);
}

/// <summary>Begin, one write, commit.</summary>
internal sealed record Transactions(int Agents, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Transaction);

    public override string Unit => "txn/s";

    public override Request Request(long number) => new(RequestKind.Transaction, AgentInTurn(number), 0, Value(number));
}

/// <summary>As <see cref="Gets"/>, where a target takes writes in transactions only.</summary>
internal sealed record GrpcGets(int Agents, int ValueBytes, int Seed) : StandardWorkload(Agents, ValueBytes, Seed)
{
    public bool IsPrepared { get; init; }

    /// <summary>The same reads on a target that has been prepared for them.</summary>
    public GrpcGets Prepared => this with { IsPrepared = true };

    public override IReadOnlySet<RequestKind> Asks => Kinds(RequestKind.Get, RequestKind.Transaction);

    public override string Unit => "reads/s";

    public override IEnumerable<Request> Preparation =>
        IsPrepared ? [] : Enumerable.Range(0, Agents).Select(agent => new Request(RequestKind.Transaction, agent, 0, Value(agent)));

    public override Request Request(long number) => new(RequestKind.Get, AgentInTurn(number));
}
